// Called by mmdebstrap at its end, outside the new system, whose root is the last argument. See bootstrap.mjs.
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { packLayer } from "./layer.mjs";
import { run } from "./run.mjs";

const [folder, fetched, suite, certificatesLayer, nodePackage, npmPackage, root] = process.argv.slice(2);
const aptConfig = process.env.MMDEBSTRAP_APT_CONFIG;
const layers = {};
/** Path -> mark, as of the last layer. */
let before = new Map();

/** Packs what is new or changed since the last layer. */
async function take(name, { without = () => false } = {}) {
  const now = list();
  const changed = [...now].filter(([file, mark]) => before.get(file) !== mark && !without(file)).map(([file]) => file);
  layers[name] = await packLayer(
    root,
    changed.toSorted((a, b) => (a < b ? -1 : 1)),
    path.join(folder, `${name}.tar.gz`),
    Number(process.env.SOURCE_DATE_EPOCH),
  );
  before = now;
}

/** Every path that belongs into an image, with a mark that changes when it is written. */
function list() {
  const found = new Map();
  const walk = (relative) => {
    for (const name of readdirSync(path.join(root, relative)).sort()) {
      const file = relative === "" ? name : `${relative}/${name}`;
      if (isLeftOut(file)) continue;
      const stat = lstatSync(path.join(root, file), { bigint: true });
      // A folder is as new as what it holds says; its own times change with every neighbour.
      const mark = stat.isDirectory()
        ? `${stat.mode} ${stat.uid} ${stat.gid}`
        : `${stat.mode} ${stat.uid} ${stat.gid} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
      found.set(file, mark);
      if (stat.isDirectory()) walk(file);
    }
  };
  walk("");
  return found;
}

/** What differs from run to run, or is only there for the bootstrap. */
function isLeftOut(file) {
  return (
    /^(dev|proc|sys|run|tmp|var\/tmp|var\/lib\/apt\/lists|var\/cache\/apt|var\/log|var\/cache\/ldconfig|var\/cache\/debconf)\/./.test(
      file,
    ) ||
    /(^|\/)__pycache__(\/|$)/.test(file) ||
    /^var\/lib\/dpkg\/(.*-old$|lock)/.test(file) ||
    /^etc\/(machine-id|resolv\.conf|hostname|\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-)$/.test(file) ||
    /^etc\/apt\/apt\.conf\.d\/99mmdebstrap$/.test(file)
  );
}

const cleaners = ["etc/apt/apt.conf.d/docker-clean", "etc/apt/apt.conf.d/docker-no-languages"];
const ownSources = path.join(folder, "sources.list");

/** The ordinary sources, whatever mirror this run used; and, as in every container image, no package cache. */
function clean() {
  renameSync(path.join(root, "etc/apt/sources.list"), ownSources);
  write("etc/apt/sources.list.d/debian.sources", [
    "Types: deb",
    "URIs: http://deb.debian.org/debian",
    `Suites: ${suite} ${suite}-updates`,
    "Components: main",
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
    "",
    "Types: deb",
    "URIs: http://deb.debian.org/debian-security",
    `Suites: ${suite}-security`,
    "Components: main",
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
  ]);
  write(cleaners[0], [
    'APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };',
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };',
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
  ]);
  write(cleaners[1], ['Acquire::Languages "none";']);
}

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * By apt from outside, with the mirrors of this run, and dpkg inside; as mmdebstrap itself does it. What takes long under
 * emulation and is the same for every architecture is not done: byte code (left out anyway) and the hashing of
 * certificates, which are taken from the layer of this machine's own architecture.
 */
async function install(...packages) {
  const settings = [
    "Dir::Bin::dpkg=env",
    "DPkg::Options::=--unset=TMPDIR",
    "DPkg::Options::=dpkg",
    `DPkg::Chroot-Directory=${root}`,
    `Dir::Etc::SourceList=${ownSources}`,
    "Dir::Etc::SourceParts=/dev/null",
    "Dpkg::Use-Pty=false",
  ];
  const options = settings.flatMap((setting) => ["-o", setting]);
  const stubs = ["usr/local/bin/py3compile", ...(certificatesLayer ? ["usr/local/sbin/update-ca-certificates"] : [])];
  for (const stub of stubs) {
    write(stub, ["#!/bin/sh"]);
    chmodSync(path.join(root, stub), 0o755);
  }
  const apt = (...more) =>
    run("apt-get", ["--yes", "--no-install-recommends", ...options, ...more, "install", ...packages], {
      env: { APT_CONFIG: aptConfig, DEBIAN_FRONTEND: "noninteractive", PATH: systemPath },
      onLine: console.log,
    });
  await apt("--download-only");
  keepFetched();
  await apt();
  for (const stub of stubs) rmSync(path.join(root, stub));
}

/** For the next bootstrap, where this one is killed. */
function keepFetched() {
  const archives = path.join(root, "var/cache/apt/archives");
  for (const name of readdirSync(archives).filter((each) => each.endsWith(".deb")))
    cpSync(path.join(archives, name), path.join(fetched, name));
}

/** Where the official image has them. */
const nodeFiles = [
  "usr/local/bin/node",
  "usr/local/bin/nodejs",
  "usr/local/bin/npm",
  "usr/local/bin/npx",
  "usr/local/bin/docker-entrypoint.sh",
  "usr/local/include/node",
  "usr/local/lib/node_modules",
  "home/node",
];

function isNodePath(file) {
  return (
    nodeFiles.some((known) => file === known || file.startsWith(`${known}/`)) ||
    /^etc\/(passwd|group|shadow)$/.test(file)
  );
}

let accounts;

async function addNode() {
  const unpacked = path.join(folder, "unpacked");
  for (const [name, file] of [
    ["node", nodePackage],
    ["npm", npmPackage],
  ]) {
    const target = path.join(unpacked, name);
    mkdirSync(target, { recursive: true });
    await run("tar", ["-xzf", file, "-C", target, "--strip-components=1", "--no-same-owner"]);
  }
  copy(path.join(unpacked, "node/bin/node"), "usr/local/bin/node");
  copy(path.join(unpacked, "node/include/node"), "usr/local/include/node");
  copy(path.join(unpacked, "npm"), "usr/local/lib/node_modules/npm");
  symlinkSync("node", path.join(root, "usr/local/bin/nodejs"));
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", path.join(root, "usr/local/bin/npm"));
  symlinkSync("../lib/node_modules/npm/bin/npx-cli.js", path.join(root, "usr/local/bin/npx"));
  write("usr/local/bin/docker-entrypoint.sh", [
    "#!/bin/sh",
    "# `docker run IMAGE app.js --flag` means node: so does a first word that is a flag or no program.",
    'case "$1" in -*) set -- node "$@" ;; esac',
    'if ! command -v "$1" >/dev/null 2>&1 || { [ -f "$1" ] && [ ! -x "$1" ]; }; then set -- node "$@"; fi',
    'exec "$@"',
  ]);
  chmodSync(path.join(root, "usr/local/bin/docker-entrypoint.sh"), 0o755);
  accounts = Object.fromEntries(
    ["passwd", "group", "shadow"].map((file) => [file, readFileSync(path.join(root, "etc", file))]),
  );
  append("etc/passwd", "node:x:1000:1000::/home/node:/bin/bash");
  append("etc/group", "node:x:1000:");
  append("etc/shadow", "node:!:19723:0:99999:7:::");
  mkdirSync(path.join(root, "home/node"));
  chownSync(path.join(root, "home/node"), 1000, 1000);
}

function removeNode() {
  for (const file of nodeFiles) rmSync(path.join(root, file), { recursive: true, force: true });
  for (const [file, content] of Object.entries(accounts)) writeFileSync(path.join(root, "etc", file), content);
}

/** The official image has Python in /usr/local/bin, and pip installs system-wide there. */
function addPythonNames() {
  for (const [name, target] of [
    ["python", "python3"],
    ["python3", "python3"],
    ["pip", "pip3"],
    ["pip3", "pip3"],
  ]) {
    symlinkSync(`/usr/bin/${target}`, path.join(root, "usr/local/bin", name));
  }
  const library = path.join(root, "usr/lib");
  for (const name of readdirSync(library).filter((candidate) => /^python3\.\d+$/.test(candidate))) {
    rmSync(path.join(library, name, "EXTERNALLY-MANAGED"), { force: true });
  }
}

function copy(from, to) {
  mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
  cpSync(from, path.join(root, to), { recursive: true });
}

function write(file, lines) {
  writeFileSync(path.join(root, file), `${lines.join("\n")}\n`);
}

function append(file, line) {
  const target = path.join(root, file);
  writeFileSync(target, `${readFileSync(target, "utf8")}${line}\n`);
}

// Without these apt and rm would work on the host.
if (!aptConfig || !root || path.resolve(root) === "/") throw new Error("this is a hook for mmdebstrap");

try {
  await makeLayers();
} catch (error) {
  // mmdebstrap only says that a hook failed.
  const { message, why, next } = error;
  writeFileSync(path.join(folder, "failure.json"), JSON.stringify({ message, why, next }));
  throw error;
}

async function makeLayers() {
  clean();
  await take("base");
  // They speak of /var/cache/apt, and apt runs outside.
  for (const file of cleaners) rmSync(path.join(root, file));
  await install("ca-certificates");
  if (certificatesLayer) await run("tar", ["-xzf", certificatesLayer, "-C", root, "etc/ssl/certs"]);
  await take("certificates");
  const withCertificates = before;
  await addNode();
  await take("node");
  removeNode();
  // Python's layer lies on the certificates, not on Node.
  before = withCertificates;
  await install("python3", "python3-pip", "python3-venv");
  addPythonNames();
  await take("python", { without: isNodePath });
  writeFileSync(path.join(folder, "layers.json"), JSON.stringify(layers));
}
