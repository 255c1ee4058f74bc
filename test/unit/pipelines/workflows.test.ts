import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ciFile } from "../../../src/cli/init/ci.ts";

const folder = path.resolve(import.meta.dirname, "../../../.github/workflows");
/** Our own, and what `fastloop init --ci github` writes. */
const written = ciFile("github", {
  version: "1.0.0",
  isDependency: true,
  baseRegistry: "ghcr.io/acme/app/base",
  cache: "ghcr.io/acme/app/cache:latest",
  deploys: [{ name: "staging", isProduction: false, isPublished: true }],
});
const names = [...readdirSync(folder), written.path];

interface Step {
  uses?: string;
  run?: string;
  name?: string;
}
interface Workflow {
  name?: string;
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  jobs: Record<
    string,
    {
      "runs-on": string;
      "timeout-minutes"?: number;
      steps: Step[];
      strategy?: { matrix?: Record<string, unknown> };
      env?: Record<string, string>;
    }
  >;
}
const read = (name: string): Workflow =>
  parse(name === written.path ? written.text : readFileSync(path.join(folder, name), "utf8")) as Workflow;
const steps = (workflow: Workflow): Step[] => Object.values(workflow.jobs).flatMap((job) => job.steps);

/** Set-up, and calls of functions: nothing else is what a workflow is for. */
const allowed = [
  /^(?:sudo -E env "PATH=\$PATH" )?npm (ci|test(?: -- --project (?:repositories|newcomer))?|run (setup|build|fuzz|mutate|cluster|release:(engine|pack|try|publish)|bench -- all --quick --ratios=ratios\.json))$/,
  /^sudo apt-get install --yes(?: [\w-]+)+$/,
  /^(?:sudo -E env "PATH=\$PATH" )?npx fastloop (setup|validate|call|run|deploy)\b/,
];

describe.each(names)("%s", (name) => {
  const workflow = read(name);

  test("has no build logic: every step sets up or calls a function", () => {
    for (const { run } of steps(workflow)) {
      if (run === undefined) continue;
      const text = run.replaceAll(/\$\{\{[^}]*\}\}/g, "VALUE").trim();
      const [command = "", ...piped] = text.split(/\s*\|\s*/);
      expect(
        allowed.some((pattern) => pattern.test(command)),
        run,
      ).toBe(true);
      expect(
        piped.every((each) => each === 'tee -a "$GITHUB_STEP_SUMMARY"'),
        run,
      ).toBe(true);
      expect(/[;&`]|\$\(/.test(text), run).toBe(false);
    }
  });

  test("has only keys that GitHub knows, least permissions, time limits and pinned actions", () => {
    const known = ["name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"];
    expect(Object.keys(workflow).filter((key) => !known.includes(key))).toEqual([]);
    expect(workflow.permissions).toBeDefined();
    for (const [job, { "timeout-minutes": minutes }] of Object.entries(workflow.jobs))
      expect(minutes, job).toBeGreaterThan(0);
    for (const step of steps(workflow)) {
      expect([step.uses, step.run].filter((each) => each !== undefined)).toHaveLength(1);
      if (step.uses !== undefined) expect(step.uses).toMatch(/^[\w-]+(?:\/[\w-]+){1,2}@(?:v\d+|[0-9a-f]{40})$/);
    }
  });

  test("puts nothing that a stranger can write into a shell", () => {
    for (const { run = "" } of steps(workflow)) expect(run).not.toMatch(/\$\{\{\s*github\.(event|head_ref)/);
  });

  test("uses only expressions that are defined", () => {
    for (const job of Object.values(workflow.jobs)) {
      const matrix = Object.keys(job.strategy?.matrix ?? {});
      const used = [...JSON.stringify(job).matchAll(/\$\{\{\s*matrix\.(\w+)/g)].map((match) => match[1]);
      for (const key of used) expect(matrix).toContain(key);
    }
  });
});

test("the base image is published by hand, when its definition or workflow changes, and weekly, for both platforms", () => {
  const { on, jobs, permissions } = read("base-image.yml");
  expect(Object.keys(on)).toEqual(["workflow_dispatch", "push", "schedule"]);
  expect(on["push"]).toMatchObject({
    paths: expect.arrayContaining(["fastloop.yaml", ".github/workflows/base-image.yml"]) as string[],
  });
  expect(permissions).toEqual({ contents: "read", packages: "write" });
  expect(JSON.stringify(jobs)).toContain("--platforms linux/amd64,linux/arm64");
  expect(
    steps({ on, jobs })
      .map(({ run }) => /fastloop call (\S+)/.exec(run ?? "")?.[1])
      .filter(Boolean),
  ).toEqual(["outdated-base", "publish-base", "prune-base"]);
});

test.each(readdirSync(folder))("%s: what starts an engine has the right to", (name) => {
  for (const { run = "" } of steps(read(name)))
    if (/npm test|run setup|fastloop (?:call|run)\b/.test(run)) expect(run).toMatch(/^sudo -E env "PATH=\$PATH" /);
});
