// What the engine's daemon writes for a command has the modes that the command's own files would have.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cliFile } from "./cli-process.ts";

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), "fastloop-umask-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `
const query = (text) => fetch("http://127.0.0.1:" + process.env.DAGGER_SESSION_PORT + "/query", {
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Basic " + btoa(process.env.DAGGER_SESSION_TOKEN + ":") },
  body: JSON.stringify({ query: text }),
}).then((answer) => answer.json()).then(({ errors }) => { if (errors) throw new Error(errors[0].message); });
const file = 'directory{withNewFile(path:"f",contents:"x",permissions:420)';
await query('{' + file + '{export(path:"tree/new/deep")}}}');
await query('{' + file + '{export(path:"there")}}}');
await query('{' + file + '{file(path:"f"){export(path:"file/new/f")}}}}');
await query('{container{withNewFile(path:"/f",contents:"x"){export(path:"image/new/i.tar")}}}');
`;

function underUmask(umask: string, cwd: string): Promise<number | null> {
  const run = `umask ${umask}; exec "$@"`;
  const child = spawn(
    "sh",
    [
      "-c",
      run,
      "sh",
      process.execPath,
      cliFile,
      "session",
      "--",
      process.execPath,
      "--input-type=module",
      "-e",
      script,
    ],
    { cwd, stdio: ["ignore", "ignore", "inherit"] },
  );
  return new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}

test.each([
  ["022", "755", "644"],
  ["027", "750", "640"],
  ["002", "775", "664"],
])("under umask %s exports make folders of mode %s", { timeout: 180_000 }, async (umask, folders, files) => {
  const cwd = path.join(folder, umask);
  mkdirSync(path.join(cwd, "there"), { recursive: true });
  chmodSync(path.join(cwd, "there"), 0o711);
  expect(await underUmask(umask, cwd)).toBe(0);
  const mode = (name: string): string => (statSync(path.join(cwd, name)).mode & 0o7777).toString(8);
  expect(["tree", "tree/new", "tree/new/deep", "file", "file/new", "image", "image/new"].map(mode)).toEqual(
    Array.from({ length: 7 }, () => folders),
  );
  expect([mode("there"), mode("image/new/i.tar")]).toEqual(["711", files]);
});
