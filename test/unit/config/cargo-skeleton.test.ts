import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { presets } from "../../../src/config/index.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-crates-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("an empty crate has every file that its manifest names, by its path or by its kind", () => {
  const manifests = {
    "Cargo.toml": '[package]\nname = "root"\n\n[[bench]]\nname = "speed"\nharness = false\n\n[dependencies]\n',
    "a/Cargo.toml":
      '[package]\nname = "a"\nbuild = "make.rs"\n\n[lib]\npath = "lib/a.rs"\n\n[[bin]]\nname = "tool"\n\n[[example]]\nname = "how"\n\n[[test]]\nname = "all"\n',
  };
  for (const [file, text] of Object.entries(manifests)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  execFileSync("sh", ["-ec", presets.cargo.install[0]!], { cwd: folder });
  const made = execFileSync("find", [".", "-name", "*.rs"], { cwd: folder, encoding: "utf8" });
  expect(made.trim().split("\n").toSorted()).toEqual([
    "./a/examples/how.rs",
    "./a/lib/a.rs",
    "./a/make.rs",
    "./a/src/bin/tool.rs",
    "./a/src/lib.rs",
    "./a/src/main.rs",
    "./a/tests/all.rs",
    "./benches/speed.rs",
    "./src/lib.rs",
    "./src/main.rs",
  ]);
});
