// One layer: a reproducible tar of chosen paths, gzipped, with both digests.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  createWriteStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { environmentFor } from "./environment.mjs";
import { SetupError } from "./errors.mjs";

/** So often a layer is packed anew whose files changed meanwhile. */
const attempts = 3;

/**
 * Paths are relative to `root` and sorted; folders come without what is in them. A folder on which something is mounted
 * (`/proc`, `/sys`) is packed as an empty one of the same mode and owner: what is mounted there changes while it is read.
 */
export async function packLayer(root, paths, file, epochSeconds) {
  const mounted = mountPoints(root);
  const empty = mkdtempSync(path.join(path.dirname(file), "mounts-"));
  try {
    const replaced = paths.filter((name) => mounted.has(name) && lstatSync(path.join(root, name)).isDirectory());
    for (const name of replaced) copyFolder(path.join(root, name), path.join(empty, name));
    const own = paths.filter((name) => !replaced.includes(name));
    for (let attempt = 1; ; attempt++) {
      const { changed, ...layer } = await pack(root, own, empty, replaced, file, epochSeconds);
      if (changed === undefined) return layer;
      if (attempt === attempts)
        throw new SetupError("the files of a base image change while they are packed", {
          why: changed,
          next: "run this again when nothing else writes there",
        });
    }
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

/** `changed`: what tar said of files that were not the same before and after they were read. */
async function pack(root, paths, empty, replaced, file, epochSeconds) {
  const tar = spawn(
    "tar",
    [
      "--create",
      "--file=-",
      "--no-recursion",
      "--numeric-owner",
      "--format=posix",
      "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
      `--mtime=@${epochSeconds}`,
      "--clamp-mtime",
      "--xattrs",
      "--xattrs-include=security.capability",
      `--directory=${empty}`,
      ...replaced.map((name) => `--add-file=${name}`),
      `--directory=${root}`,
      "--null",
      "--verbatim-files-from",
      "--files-from=-",
    ],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...environmentFor("tar"), LC_ALL: "C" } },
  );
  let told = "";
  tar.stderr.on("data", (chunk) => (told = (told + chunk.toString("utf8")).slice(-4000)));
  // A tar that ends early is reported by its code.
  tar.stdin.on("error", () => {});
  tar.stdin.end(paths.map((name) => `${name}\0`).join(""));
  const ended = new Promise((resolve, reject) => {
    tar.once("error", reject);
    tar.once("close", (code, signal) => {
      // 1: some files differ; 2: something could not be read or written.
      if (code === 0 || code === 1) resolve(code === 1 ? told.trim() : undefined);
      else
        reject(
          new SetupError("tar could not pack a base image", {
            why: told.trim() || `it ended with ${signal ?? `exit code ${code}`}`,
          }),
        );
    });
  });
  ended.catch(() => {});
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  let sizeBytes = 0;
  // Fast rather than small: it goes no further than loopback.
  await pipeline(
    tar.stdout,
    tap((chunk) => plain.update(chunk)),
    createGzip({ level: 1 }),
    tap((chunk) => {
      packed.update(chunk);
      sizeBytes += chunk.length;
    }),
    createWriteStream(file),
  );
  const changed = await ended;
  return {
    changed,
    file,
    sizeBytes,
    digest: `sha256:${packed.digest("hex")}`,
    diffId: `sha256:${plain.digest("hex")}`,
  };
}

/** Folders below `root` on which another file system is mounted, relative to it. */
function mountPoints(root) {
  const prefix = `${root === "/" ? "" : root}/`;
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const place = line.split(" ")[4]?.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
      return place?.startsWith(prefix) === true && place !== prefix ? [place.slice(prefix.length)] : [];
    });
  return new Set(mounts);
}

function copyFolder(from, to) {
  const { mode, uid, gid } = lstatSync(from);
  mkdirSync(to, { recursive: true });
  chmodSync(to, mode & 0o7777);
  if (process.getuid() === 0) chownSync(to, uid, gid);
}

function tap(see) {
  const stream = new PassThrough();
  stream.on("data", see);
  return stream;
}
