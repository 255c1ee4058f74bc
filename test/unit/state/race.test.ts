/** Another process that swaps folders for links, again and again, while state is written and deleted. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, readFileSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const rounds = 400;

/** Takes turns: `.fastloop/runs` and `.fastloop` itself are folders of ours, or links to the user's. */
const swapper = `
const { renameSync, symlinkSync } = require("node:fs");
const [root] = process.argv.slice(1);
symlinkSync("../../home", root + "/.fastloop/link");
symlinkSync("../home", root + "/link");
process.stdout.write("up");
const quietly = (from, to) => { try { renameSync(root + from, root + to); } catch {} };
for (;;) {
  quietly("/.fastloop/runs", "/.fastloop/aside"); quietly("/.fastloop/link", "/.fastloop/runs");
  quietly("/.fastloop/runs", "/.fastloop/link"); quietly("/.fastloop/aside", "/.fastloop/runs");
  quietly("/.fastloop", "/aside"); quietly("/link", "/.fastloop");
  quietly("/.fastloop", "/link"); quietly("/aside", "/.fastloop");
}`;

it.runIf(process.platform === "linux")(
  "whatever the names lead to by then, nothing of the user's is read, changed or deleted",
  async () => {
    const precious = {
      "x.json": "precious",
      "x.log": "precious",
      hashes: "precious",
      "runs/x.json": "precious",
      "runs/x.log": "precious",
    };
    const top = makeTree({
      ...Object.fromEntries(Object.entries(precious).map(([name, text]) => [`home/${name}`, text])),
      "p/a": "",
    });
    const root = path.join(top, "p");
    const state = new ProjectState(root);
    mkdirSync(path.join(root, ".fastloop/runs"), { recursive: true });
    writeFileSync(path.join(root, ".fastloop/.gitignore"), "*\n");
    const child = spawn(process.execPath, ["-e", swapper, root], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    let written = 0;
    try {
      for (let round = 0; round < rounds; round++) {
        if (state.write("runs", "x.json", [Buffer.from("{}")])) written++;
        expect(state.read("runs", "x.json")?.toString() ?? "{}").toBe("{}");
        const log = state.openForAppending("runs", "x.log");
        if (log !== undefined) {
          writeSync(log, "line");
          closeSync(log);
        }
        state.remove("runs", ["x.json", "x.log"]);
        state.write(".", "hashes", [Buffer.from("{}")]);
        state.sweep(".", /^hashes$/, () => true);
      }
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    expect(written).toBeGreaterThan(0);
    const home = path.join(top, "home");
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const found = files
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(home, file), readFileSync(file, "utf8")]);
    expect(Object.fromEntries(found)).toEqual(precious);
  },
  120_000,
);
