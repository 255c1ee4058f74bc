// Tries fastloop on a folder as a newcomer would: `init`, `run`, `run` again; with an edit, until that is red and its repair
// green. Prints a row of docs/tried.md for each. Not part of the gate. Each folder is copied first and stays as it is.
//   node test/repositories/try.mjs [--keep] FOLDER...
//   node test/repositories/try.mjs [--keep] FOLDER --edit FILE FROM TO
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const cli = path.join(import.meta.dirname, "../../dist/fastloop.js");
const { values, positionals } = parseArgs({
  options: { keep: { type: "boolean" }, edit: { type: "boolean" } },
  allowPositionals: true,
});
const folders = values.edit ? positionals.slice(0, 1) : positionals;
const edit = values.edit ? { file: positionals[1], from: positionals[2], to: positionals[3] } : undefined;

for (const folder of folders) {
  const copy = path.join(mkdtempSync(path.join(tmpdir(), "fastloop-try-")), path.basename(path.resolve(folder)));
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  const fastloop = (...words) => {
    const startedAt = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { cwd: copy, encoding: "utf8" });
    return { status, text: stdout + stderr, seconds: `${((performance.now() - startedAt) / 1000).toFixed(1)} s` };
  };
  const init = existsSync(path.join(copy, "fastloop.yaml"))
    ? { status: 0, text: "", seconds: "0 s" }
    : fastloop("init");
  const runs = [init];
  const wanted = [0];
  const run = (status) => {
    if (runs.some((each, index) => each.status !== wanted[index])) return;
    wanted.push(status);
    runs.push(fastloop("run", "--timeout", "15m"));
  };
  run(0);
  run(0);
  if (edit !== undefined) {
    const file = path.join(copy, edit.file);
    const text = readFileSync(file, "utf8");
    if (!text.includes(edit.from)) throw new Error(`${file} has no ${edit.from}`);
    writeFileSync(file, text.replace(edit.from, edit.to));
    run(1);
    writeFileSync(file, text);
    run(0);
  }
  const seconds = Array.from({ length: edit === undefined ? 3 : 5 }, (_, index) => runs[index]?.seconds ?? "-");
  const failed = runs.findIndex((each, index) => each.status !== wanted[index]);
  const outcome = failed === -1 ? "green" : `exit ${runs[failed].status} where ${wanted[failed]} is right`;
  console.log(`| ${[path.basename(copy), ...seconds, outcome].join(" | ")} |`);
  for (const each of runs.slice(failed === -1 ? 1 : failed)) console.log(each.text.slice(-3000));
  if (failed !== -1) console.log(readFileSync(path.join(copy, "fastloop.yaml"), "utf8"));
  if (values.keep) console.log(copy);
  else rmSync(path.dirname(copy), { recursive: true, force: true });
}
