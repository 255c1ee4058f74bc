// Tries fastloop on folders as a newcomer would: `init`, `run`; prints a row of docs/tried.md for each. Not part of the
// gate. Each folder is copied first and stays as it is.
//   node test/repositories/try.mjs FOLDER...
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const cli = path.join(import.meta.dirname, "../../dist/fastloop.js");
const keep = process.argv.includes("--keep");

for (const folder of process.argv.slice(2).filter((word) => word !== "--keep")) {
  const copy = path.join(mkdtempSync(path.join(tmpdir(), "fastloop-try-")), path.basename(path.resolve(folder)));
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  const fastloop = (...words) => {
    const startedAt = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { cwd: copy, encoding: "utf8" });
    return { status, text: stdout + stderr, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) };
  };
  const init = existsSync(path.join(copy, "fastloop.yaml")) ? { status: 0, text: "", seconds: "0" } : fastloop("init");
  const ran = init.status === 0 ? fastloop("run", "--timeout", "10m") : init;
  const again = ran.status === 0 ? fastloop("run") : undefined;
  console.log(
    `| ${path.basename(copy)} | ${init.seconds} s | ${ran.seconds} s | ${again?.seconds ?? "-"} s | ${ran.status === 0 ? "green" : `exit ${ran.status}`} |`,
  );
  if (ran.status !== 0) {
    if (existsSync(path.join(copy, "fastloop.yaml")))
      console.log(readFileSync(path.join(copy, "fastloop.yaml"), "utf8"));
    console.log(`${init.text}\n${ran.text.slice(-3000)}`);
  }
  if (keep) console.log(copy);
  else rmSync(path.dirname(copy), { recursive: true, force: true });
}
