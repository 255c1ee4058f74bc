/**
 * The first ten minutes, on a machine that has Node and nothing else: both commands of the README in a fresh clone, and the
 * npm package in an empty folder; as root, and as an ordinary user without a container runtime. Builds and installs all that
 * set-up does, so it runs with FASTLOOP_NEWCOMER only (nightly).
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareRoot, type BareRoot, type Ran } from "./bare-root.ts";
import { cloneTo, packTo } from "./packed.ts";

const isAsked = (process.env["FASTLOOP_NEWCOMER"] ?? "") !== "";
const longMs = 45 * 60_000;
let root: BareRoot;

const told = ({ exitCode, output }: Ran): string => `exit code ${exitCode}\n${output}`;
const project = `mkdir -p "$HOME/project" && cd "$HOME/project"
cat > package.json <<'END'
{ "name": "mine", "private": true, "type": "module", "scripts": { "test": "node --test" } }
END
cat > sum.test.js <<'END'
import { strictEqual } from "node:assert";
import { test } from "node:test";
test("sum", () => strictEqual(1 + 1, 2));
END
`;

describe.skipIf(!isAsked || process.getuid?.() !== 0)("on a machine with Node only", () => {
  beforeAll(async () => {
    root = await bareRoot();
    for (const home of ["root", "home/node"]) cloneTo(path.join(root.folder, home, "fastloop"));
    execFileSync("chown", ["-R", "1000:1000", path.join(root.folder, "home/node/fastloop")]);
    packTo(path.join(root.folder, "opt/packed"));
  }, longMs);
  afterAll(() => root?.remove(), longMs);

  test(
    "an ordinary user without a container runtime hears it at once, and nothing has begun",
    async () => {
      for (const command of ["npm start", "npm test"]) {
        const ran = await root.run(`cd fastloop && ${command}`, { user: "node" });
        expect(ran.exitCode, told(ran)).toBe(1);
        expect(ran.output).toContain("containers need root or a container runtime");
        expect(ran.output).not.toMatch(/^ +at /m);
      }
      expect(readdirSync(path.join(root.folder, "home/node/fastloop"))).not.toContain("node_modules");
    },
    longMs,
  );

  test(
    "npm start shows the loop, and a second one sets nothing up",
    async () => {
      const ran = await root.run(
        `cd fastloop
trap 'node dist/fastloop.js engine stop --force' EXIT
npm start
echo "--- again"
npm start`,
      );
      console.log(ran.output);
      expect(ran.exitCode, told(ran)).toBe(0);
      const [first = "", again = ""] = ran.output.split("--- again");
      for (const text of [first, again]) expect(text).toContain("Everything went as described.");
      expect(again).not.toContain("set-up:");
    },
    longMs,
  );

  test(
    "npm test runs the gate",
    async () => {
      const ran = await root.run(
        `cd fastloop
trap 'node dist/fastloop.js engine stop --force' EXIT
npm test -- --project unit test/unit/text`,
      );
      console.log(ran.output);
      expect(ran.exitCode, told(ran)).toBe(0);
      expect(ran.output).toMatch(/^\d+ passed, 0 failed, \d+ skipped$/m);
    },
    longMs,
  );

  test(
    "the package is installed, and runs a project's tests",
    async () => {
      const ran = await root.run(
        `${project}
npm install --save-dev --no-audit --no-fund /opt/packed/*.tgz
trap 'npx fastloop engine stop --force' EXIT
npx fastloop init
npx fastloop setup
npx fastloop run
npx fastloop plan`,
      );
      console.log(ran.output);
      expect(ran.exitCode, told(ran)).toBe(0);
      expect(ran.output).toContain("1 passed");
    },
    longMs,
  );

  test(
    "the package tells an ordinary user what is missing, and plans without an engine",
    async () => {
      const ran = await root.run(
        `${project}
npm install --save-dev --no-audit --no-fund /opt/packed/*.tgz
npx fastloop init
npx fastloop plan
npx fastloop run && exit 9 || echo "run: $?"`,
        { user: "node" },
      );
      console.log(ran.output);
      expect(ran.exitCode, told(ran)).toBe(0);
      expect(ran.output).toContain("run: 3");
      expect(ran.output).toContain("needs root");
      expect(ran.output).not.toMatch(/^ +at /m);
    },
    longMs,
  );
});
