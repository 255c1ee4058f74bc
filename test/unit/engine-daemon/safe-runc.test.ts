import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireSafeRunc } from "../../../src/engine-daemon/buildkitd/buildkitd.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-runc-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(place: string, mode = 0o755): string {
  mkdirSync(path.join(folder, path.dirname(place)), { recursive: true });
  const file = path.join(folder, place);
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, mode);
  return file;
}

test("the runc that buildkitd finds first is run as root only where nobody else could have written it", () => {
  program("safe/runc");
  const [safe, other] = [path.join(folder, "safe"), path.join(folder, "other")];
  expect(() => requireSafeRunc(safe)).not.toThrow();
  const open = program("other/runc", 0o757);
  expect(() => requireSafeRunc(`${safe}:${other}`)).not.toThrow();
  expect(() => requireSafeRunc(`${other}:${safe}`)).toThrow(
    `runc is not run as root: ${open} can be written by everyone`,
  );
  // It looks for this name before the other one.
  program("other/buildkit-runc", 0o775);
  expect(() => requireSafeRunc(`${safe}:${other}`)).toThrow(/^buildkit-runc is not run as root: .* by its group$/);
  chmodSync(path.join(other, "buildkit-runc"), 0o755);
  chmodSync(other, 0o777);
  expect(() => requireSafeRunc(`${safe}:${other}`)).toThrow(`${other} can be written by everyone`);
  expect(() => requireSafeRunc(other)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("chmod go-w") }),
  );
  expect(() => requireSafeRunc(path.join(folder, "none"))).toThrow("runc is not installed");
});
