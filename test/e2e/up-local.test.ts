import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { until, UpProject } from "./up-project.ts";

let project: UpProject;
beforeEach(() => {
  project = new UpProject();
});
afterEach(() => project.remove());

const isThere = (group: number): boolean => {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
};

it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)("nothing of `local` outlives `up` after %s", async (signal) => {
  project.configure({ local: { web: { serve: "trap '' TERM; echo $$ > pid; sleep 1000 & sleep 1000" } } });
  const up = project.up("--trust");
  await up.next("settled");
  await until(
    () => existsSync(project.at("pid")) && readFileSync(project.at("pid"), "utf8") !== "",
    (isWritten) => isWritten,
  );
  const group = Number(readFileSync(project.at("pid"), "utf8"));
  expect(isThere(group)).toBe(true);
  await up.kill(signal);
  await until(
    () => isThere(group),
    (there) => !there,
  );
});
