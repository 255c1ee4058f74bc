// One layer: a reproducible tar of chosen paths, gzipped, with both digests.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** Paths are relative to `root` and sorted; folders come without what is in them. */
export async function packLayer(root, paths, file, epochSeconds) {
  const tar = spawn(
    "tar",
    [
      "--create",
      "--file=-",
      `--directory=${root}`,
      "--no-recursion",
      "--null",
      "--verbatim-files-from",
      "--files-from=-",
      "--numeric-owner",
      "--format=posix",
      "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
      `--mtime=@${epochSeconds}`,
      "--clamp-mtime",
      "--xattrs",
      "--xattrs-include=security.capability",
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  tar.stdin.end(paths.map((name) => `${name}\0`).join(""));
  const ended = new Promise((resolve, reject) => {
    tar.once("error", reject);
    tar.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`tar ended with code ${code}`))));
  });
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
  await ended;
  return { file, sizeBytes, digest: `sha256:${packed.digest("hex")}`, diffId: `sha256:${plain.digest("hex")}` };
}

function tap(see) {
  const stream = new PassThrough();
  stream.on("data", see);
  return stream;
}
