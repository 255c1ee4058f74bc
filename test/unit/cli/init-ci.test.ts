import { expect, test } from "vitest";
import { parse } from "yaml";
import { ciFile, ciNames } from "../../../src/cli/init/ci.ts";

const allowed = [/^npm ci$/, /^npx (?:fastloop|--yes fastloop@1\.2\.3) (setup|validate|call|run|deploy)\b[^;&|]*$/];
const pinned = { version: "1.2.3", isDependency: false };
const locked = { version: "1.2.3", isDependency: true };

/** Every command of a workflow file, whatever its dialect calls it. */
function commandsOf(text: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown, key = ""): void => {
    if (typeof value === "string" && ["run", "script", "commands", "sh"].includes(key))
      found.push(...value.trim().split("\n"));
    else if (Array.isArray(value)) for (const item of value) visit(item, key);
    else if (typeof value === "object" && value !== null)
      for (const [name, inner] of Object.entries(value)) visit(inner, name);
  };
  visit(parse(text));
  return found;
}

test.each(ciNames.filter((name) => name !== "jenkins"))("%s: the workflow only calls functions", (name) => {
  const commands = commandsOf(ciFile(name, locked).text);
  expect(commands.length).toBeGreaterThanOrEqual(3);
  for (const command of commands)
    expect(
      allowed.some((pattern) => pattern.test(command)),
      command,
    ).toBe(true);
});

test("jenkins: the pipeline only calls functions", () => {
  const commands = [...ciFile("jenkins", locked).text.matchAll(/sh '([^']*)'/g)].map((match) => match[1] ?? "");
  expect(commands).toHaveLength(6);
  for (const command of commands)
    expect(
      allowed.some((pattern) => pattern.test(command)),
      command,
    ).toBe(true);
});

test.each(ciNames.filter((name) => name !== "jenkins"))(
  "%s: without a lock file of npm fastloop comes by its version, and nothing else is installed",
  (name) => {
    const commands = commandsOf(ciFile(name, pinned).text);
    expect(commands.length).toBeGreaterThanOrEqual(2);
    for (const command of commands) expect(command).toMatch(/^npx --yes fastloop@1\.2\.3 /);
  },
);

test.each(ciNames)("%s: a runner with an engine needs `dagger call` alone", (name) => {
  const { text } = ciFile(name, { ...pinned, callsDagger: true });
  const commands =
    name === "jenkins" ? [...text.matchAll(/sh '([^']*)'/g)].map((match) => match[1] ?? "") : commandsOf(text);
  expect(commands.length).toBeGreaterThanOrEqual(1);
  for (const command of commands) expect(command).toMatch(/^dagger call test --source \. --tier /);
  expect(text).not.toMatch(/npx|setup-node/);
});

const deploys = [
  { name: "staging", isProduction: false, isPublished: true },
  { name: "production", isProduction: true, isPublished: true },
];

test.each(["github", "gitlab"] as const)(
  "%s: one job deploys after the other, protected, with no stored secret",
  (name) => {
    const { text } = ciFile(name, { ...locked, deploys });
    expect(commandsOf(text).filter((command) => command.includes("deploy"))).toEqual([
      "npx fastloop deploy staging --trust --publish",
      "npx fastloop deploy production --trust --publish --yes production",
    ]);
    expect(text).not.toMatch(/secrets\.|KUBECONFIG/);
    expect(ciFile(name, locked).text).not.toContain("deploy");
  },
);

test("github: a deploy job has its environment, short-lived credentials, and is never cancelled", () => {
  const { jobs } = parse(ciFile("github", { ...locked, deploys }).text) as { jobs: Record<string, unknown> };
  expect(jobs["deploy-staging"]).toMatchObject({ needs: "test", environment: "staging" });
  expect(jobs["deploy-production"]).toMatchObject({
    needs: "deploy-staging",
    environment: "production",
    permissions: { "id-token": "write", contents: "read", packages: "write" },
    concurrency: { group: "deploy-production", "cancel-in-progress": false },
  });
});
