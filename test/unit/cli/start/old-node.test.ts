import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { distFile } from "../../../../src/paths/index.ts";

/** Starts the command line as if a Node of that version ran it. */
function startWith(version: string): { status: number | null; stdout: string; stderr: string } {
  const pretend = `Object.defineProperty(process, "version", { value: "v${version}" });
Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });
${Number.parseInt(version, 10) < 20 || version.startsWith("21") ? "process.getBuiltinModule = undefined;" : ""}`;
  const words = [
    "--import",
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    distFile("fastloop.js"),
    "--version",
  ];
  return spawnSync(process.execPath, words, { encoding: "utf8" });
}

test.each(["14.21.3", "18.20.8", "20.18.3", "21.7.3"])("Node %s gets one sentence and no stack", (version) => {
  const { status, stdout, stderr } = startWith(version);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe(
    `error: fastloop needs Node 20.19 or newer; this is v${version}\nhint: install a maintained version, such as 22, 24 or 26\n`,
  );
});

test.each(["20.19.0", "22.12.0", "26.0.0"])("Node %s runs it", (version) => {
  expect(startWith(version)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^fastloop \d/) });
});
