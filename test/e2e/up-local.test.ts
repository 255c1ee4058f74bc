import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { until, UpProject } from "./up-project.ts";
import { isGroupThere } from "../process-group.ts";

let project: UpProject;
beforeEach(() => {
  project = new UpProject();
});
afterEach(() => project.remove());

it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)("nothing of `local` outlives `up` after %s", async (signal) => {
  project.configure({ local: { web: { serve: "trap '' TERM; echo $$ > pid; sleep 1000 & sleep 1000" } } });
  const up = project.up("--trust");
  await up.next("settled");
  await until(
    () => existsSync(project.at("pid")) && readFileSync(project.at("pid"), "utf8") !== "",
    (isWritten) => isWritten,
  );
  const group = Number(readFileSync(project.at("pid"), "utf8"));
  expect(isGroupThere(group)).toBe(true);
  await up.kill(signal);
  await until(
    () => isGroupThere(group),
    (there) => !there,
  );
});
