// A real Kubernetes API server for the tests of deploy: etcd, kube-apiserver and the controllers of a rollout in one
// program, built by Go from tools/cluster. It takes minutes and is kept in the user's cache, so it is a step of its own:
// `npm run cluster`. Tests that need it are skipped where it was not made.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("cluster", import.meta.url));
const version = "1.36.3";

/** Where the program is, or will be: named by everything that it is made of. */
export function clusterProgram() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\0`);
  for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" }).sort()) {
    const full = path.join(sources, file);
    if (statSync(full).isFile()) hash.update(`${file}\0`).update(readFileSync(full)).update("\0");
  }
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  return path.join(cache, "fastloop", "cluster", hash.digest("hex").slice(0, 16), "cluster");
}

/** Builds it where it is missing. What Go compiled on the way (2 GB) is thrown away. */
async function build() {
  const target = clusterProgram();
  if (existsSync(target)) return console.log(`ready: ${target}`);
  const { findGo } = await import("./setup/engine.mjs");
  const { run } = await import("./setup/run.mjs");
  const folder = path.dirname(target);
  const temporary = `${folder}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  console.log("building a Kubernetes API server for the tests: 10 minutes of CPU time, 1 GB of modules");
  let told = performance.now();
  const onLine = (line) => {
    if (performance.now() - told < 20_000) return;
    told = performance.now();
    console.log(`  ${line}`);
  };
  const cacheHome = () => path.dirname(path.dirname(folder));
  const required = /^go (\S+)/m.exec(readFileSync(path.join(sources, "go.mod"), "utf8"))[1];
  try {
    const go = await findGo({ cacheHome }, onLine, required);
    const stamp = (name, value) => `-X k8s.io/component-base/version.${name}=${value}`;
    const [major, minor] = version.split(".");
    const flags = ["-s -w", stamp("gitVersion", `v${version}`), stamp("gitMajor", major), stamp("gitMinor", minor)];
    await run(
      go.command,
      [
        "build",
        "-v",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        flags.join(" "),
        "-o",
        path.join(temporary, "cluster"),
        ".",
      ],
      {
        cwd: sources,
        env: {
          CGO_ENABLED: "0",
          GOFLAGS: "-mod=readonly",
          GOWORK: "off",
          GOCACHE: path.join(temporary, "go-build"),
          ...go.env,
        },
        onLine,
        next: "check that Go reaches its module proxy (go env GOPROXY), then run this again",
      },
    );
    rmSync(path.join(temporary, "go-build"), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    console.log(`ready: ${target}`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build();
  } catch (error) {
    if (typeof error.format !== "function") throw error;
    console.error(error.format());
    process.exitCode = 1;
  }
}
