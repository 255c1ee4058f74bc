/**
 * A root file system as a fresh Debian with Node has it, made the root of mount and process namespaces of its own: what runs
 * there finds nothing of this machine but its kernel, its network, and how it reaches registries. By pivot_root: the kernel
 * lets nobody in a chroot make user namespaces, which no machine of a newcomer is like.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { fastloop } from "../e2e/cli-process.ts";

export interface BareRoot {
  /** Its folder here. */
  folder: string;
  /** Runs a shell script in it, to its end and that of all that it started; `user` is `root` or `node`. */
  run(script: string, options?: { user?: "root" | "node"; env?: Record<string, string> }): Promise<Ran>;
  remove(): void;
}

export interface Ran {
  exitCode: number | null;
  /** Both streams, as they came. */
  output: string;
}

const image = "node:22-bookworm-slim";

/** Takes the image that the tests' engine has or gets. */
export async function bareRoot(): Promise<BareRoot> {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-bare-"));
  const root = path.join(folder, "root");
  const archive = path.join(folder, "image.tar");
  const made = await fastloop(["session", "--", process.execPath, "--input-type=module", "-e", exporting, archive], {
    cwd: folder,
  });
  if (made.exitCode !== 0) throw new Error(made.stderr);
  unpack(archive, root);
  copyRegistryAccess(root);
  return {
    folder: root,
    run: (script, { user = "root", env = {} } = {}) => enter(root, script, user, env),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const exporting = `
const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = process.env;
const query = \`{ container { from(address: "${image}") { export(path: \${JSON.stringify(process.argv[1])}) } } }\`;
const answer = await fetch(\`http://127.0.0.1:\${port}/query\`, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Basic " + btoa(token + ":") },
  body: JSON.stringify({ query }),
});
const { errors } = await answer.json();
if (errors) throw new Error(errors[0].message);
`;

/** Directories that are exported get this user's modes; an image's layers keep their own. */
function unpack(archive: string, root: string): void {
  mkdirSync(root);
  const layersOf = `${archive}.d`;
  mkdirSync(layersOf);
  execFileSync("tar", ["-xf", archive, "-C", layersOf]);
  const [{ Layers: layers }] = JSON.parse(readFileSync(path.join(layersOf, "manifest.json"), "utf8")) as [
    { Layers: string[] },
  ];
  for (const layer of layers) execFileSync("tar", ["-xf", path.join(layersOf, layer), "-C", root, "--same-owner"]);
  rmSync(layersOf, { recursive: true });
  rmSync(archive);
}

/** Name servers, certificates, and the registries that this machine's package managers are configured for. */
function copyRegistryAccess(root: string): void {
  const home = homedir();
  const copies: [from: string, to: string][] = [
    ["/etc/resolv.conf", "etc/resolv.conf"],
    ["/etc/hosts", "etc/hosts"],
    ["/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt"],
    // Of a proxy that opens TLS; packages of the system that set-up installs make the file above anew from these.
    ["/usr/local/share/ca-certificates", "usr/local/share/ca-certificates"],
    ["/etc/pip.conf", "etc/pip.conf"],
    [path.join(home, ".config/go/env"), "root/.config/go/env"],
    [path.join(home, ".npmrc"), "root/.npmrc"],
    [path.join(home, ".npmrc"), "home/node/.npmrc"],
  ];
  for (const [from, to] of copies.filter(([file]) => existsSync(file)))
    cpSync(from, path.join(root, to), { dereference: true, recursive: true });
  execFileSync("chown", ["-R", "1000:1000", path.join(root, "home/node")]);
}

const passedOn =
  /^(?:https?|no|all)_proxy$|^(?:SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|PIP_CERT)$|^npm_config_registry$/i;

function enter(root: string, script: string, user: string, env: Record<string, string>): Promise<Ran> {
  const home = user === "root" ? "/root" : "/home/node";
  const kept = Object.entries(process.env).filter(([name]) => passedOn.test(name));
  const file = path.join(root, "tmp", `script-${process.hrtime.bigint()}.sh`);
  writeFileSync(file, script, { mode: 0o755 });
  const mounts = [
    `mount --bind "$0" "$0"`,
    `mount -t proc proc "$0/proc"`,
    `mount --rbind /sys "$0/sys"`,
    `mount --rbind /dev "$0/dev"`,
    `mount -t tmpfs tmpfs "$0/run"`,
    `cd "$0" && mkdir -p .before && pivot_root . .before && cd / && umount -l /.before && rmdir /.before`,
    `exec setpriv --reuid=${user} --regid=${user} --init-groups env --chdir=${home} sh -eu "/tmp/${path.basename(file)}"`,
  ];
  const child = spawn(
    "unshare",
    ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "sh", "-euc", mounts.join("\n"), root],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: home,
        USER: user,
        ...Object.fromEntries(kept),
        ...env,
      },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}
