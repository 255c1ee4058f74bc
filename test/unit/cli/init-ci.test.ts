import { expect, test } from "vitest";
import { parse } from "yaml";
import { ciFile, ciNames } from "../../../src/cli/init/ci.ts";
import { imageRepository } from "../../../src/cli/init/origin.ts";

const allowed = [
  /^npm ci$/,
  /^(?:sudo -E env "PATH=\$PATH" )?npx (?:fastloop|--yes fastloop@1\.2\.3) (setup|validate|call|run|deploy)\b[^;&|]*$/,
  // GitLab's login, which no action does.
  /^mkdir -p ~\/\.docker$/,
  /^printf '[^']*' "\$CI_REGISTRY" "\$CI_REGISTRY_USER" "\$CI_REGISTRY_PASSWORD" > ~\/\.docker\/config\.json$/,
];
const pinned = { version: "1.2.3", isDependency: false };
const locked = { version: "1.2.3", isDependency: true };

const deploys = [
  { name: "staging", isProduction: false, isPublished: true },
  { name: "production", isProduction: true, isPublished: true },
];

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
  expect(commands).toHaveLength(4);
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
    const own = commands.filter((command) => command.includes("fastloop"));
    expect(own.length).toBeGreaterThanOrEqual(2);
    for (const command of own) expect(command).toMatch(/^(?:sudo -E env "PATH=\$PATH" )?npx --yes fastloop@1\.2\.3 /);
    expect(commands).not.toContain("npm ci");
  },
);

test.each(ciNames)("%s: a runner with an engine needs `dagger call` alone", (name) => {
  const { text } = ciFile(name, { ...pinned, callsDagger: true });
  const commands =
    name === "jenkins" ? [...text.matchAll(/sh '([^']*)'/g)].map((match) => match[1] ?? "") : commandsOf(text);
  expect(commands.length).toBeGreaterThanOrEqual(1);
  for (const command of commands) expect(command).toMatch(/^dagger call test --source \. --tier /);
  expect(text).not.toMatch(/npx|setup-node|FASTLOOP_/);
});

const shared = { ...pinned, baseRegistry: "ghcr.io/acme/app/base", cache: "ghcr.io/acme/app/cache:latest" };

test.each(ciNames)("%s: takes the shared cache everywhere, and writes it on the default branch alone", (name) => {
  const { text } = ciFile(name, { ...shared, defaultBranch: "trunk" });
  expect(text).toMatch(/FASTLOOP_CACHE_FROM[^]{0,60}\/cache:latest/);
  expect(text).toContain("FASTLOOP_CACHE_TO");
  expect(text).toMatch(name === "gitlab" ? /\$CI_DEFAULT_BRANCH/ : /\btrunk\b/);
  expect(text).not.toMatch(/\bmain\b/);
  if (name !== "gitlab") expect(ciFile(name, pinned).text).not.toContain("FASTLOOP_CACHE");
});

test.each(ciNames)("%s: publishes the base with a password of the environment, by fastloop and by dagger", (name) => {
  for (const callsDagger of [false, true])
    expect(ciFile(name, { ...shared, callsDagger }).text).toMatch(
      /call publish-base --registry ghcr\.io\/acme\/app\/base --username "\${1,2}\w+" --password env:\/\/REGISTRY_PASSWORD/,
    );
  expect(ciFile(name, pinned).text).not.toContain("publish-base");
});

test("what starts an engine on a hosted runner does so as root, what doesn't as its user", () => {
  for (const name of ["github", "circleci", "azure"] as const)
    for (const command of commandsOf(ciFile(name, { ...shared, deploys }).text).filter((each) =>
      each.includes("fastloop"),
    ))
      expect(command.startsWith("sudo "), command).toBe(!command.includes(" validate"));
});

test("tiers include those before them: the last one that there is runs", () => {
  for (const name of ciNames)
    expect(ciFile(name, { ...pinned, tier: "fast" }).text).toMatch(/call test --source \. --tier fast['\n]/);
});

test.each([
  ["https://github.com/Acme/App.git", "ghcr.io/acme/app"],
  ["git@github.com:acme/app.git", "ghcr.io/acme/app"],
  ["ssh://git@github.com:22/acme/app", "ghcr.io/acme/app"],
  ["https://someone:secret@github.com/acme/app/", "ghcr.io/acme/app"],
  ["git@gitlab.com:group/sub/app.git", "registry.gitlab.com/group/sub/app"],
  ["https://forge.example/acme/app", undefined],
  ["/srv/repositories/app", undefined],
  ["https://github.com/acme/$(id)", undefined],
])("images of %s are kept in %s", (address, repository) => {
  expect(imageRepository(address)).toBe(repository);
});

test.each(["github", "gitlab"] as const)(
  "%s: one job deploys after the other, protected, with no stored secret",
  (name) => {
    const { text } = ciFile(name, { ...locked, deploys });
    const asRoot = name === "github" ? 'sudo -E env "PATH=$PATH" ' : "";
    expect(commandsOf(text).filter((command) => command.includes("deploy"))).toEqual([
      `${asRoot}npx fastloop deploy staging --trust --publish`,
      `${asRoot}npx fastloop deploy production --trust --publish --yes production`,
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
