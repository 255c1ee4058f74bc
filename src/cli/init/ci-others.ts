import { lines, when } from "./ci-lines.ts";
import type { Words } from "./ci.ts";

/** Comment for CI systems that have no login step of their own. */
const loginNote = (start: string): string =>
  `${start}# Where the registry asks for a password: \`docker login\` before the calls, with variables of the project's settings.\n`;
const needsEngine = `# Agents need Docker or Podman, which run a Dagger engine, or to run as root, which fastloop's own engine needs.\n`;

/** Template for CircleCI, with a machine executor, whose user may become root. */
export function circleci(words: Words): string {
  const { install, validate, setup, test, cache, branch } = words;
  const publish = words.publishBase("$REGISTRY_USERNAME");
  const run = "      - run: ";
  const job = (commands: readonly string[]): string => `    machine:
      image: ubuntu-2404:current
    steps:
      - checkout
${lines(commands, run)}`;
  return `version: 2.1
jobs:
  test:
${when(cache !== undefined, `    parameters:\n      cache-to:\n        type: string\n        default: ""\n`)}${when(!words.callsDagger, `    environment:\n      # fastloop brings this engine; it needs root, which a machine's user is not.\n      FASTLOOP_ENGINE: embedded\n${when(cache !== undefined, `      FASTLOOP_CACHE_FROM: ${cache}\n      FASTLOOP_CACHE_TO: << parameters.cache-to >>\n`)}`)}${when(cache !== undefined, loginNote("    "))}${job([...install, ...validate, ...setup, test])}${when(publish.length > 0, `  base:\n${job([...install, ...setup, ...publish])}`)}workflows:
  test:
    jobs:
${
  cache === undefined
    ? "      - test\n"
    : `      - test:
          filters:
            branches:
              ignore: ${branch}
      - test:
          name: test-and-share
          cache-to: ${cache}
          filters:
            branches:
              only: ${branch}
`
}${when(publish.length > 0, `      - base:\n          filters:\n            branches:\n              only: ${branch}\n`)}`;
}

/** Template for Jenkins: a declarative pipeline on any agent. */
export function jenkins(words: Words): string {
  const { install, validate, setup, test, cache, branch } = words;
  const publish = words.publishBase("$REGISTRY_USERNAME");
  const stage = (name: string, commands: readonly string[], before = ""): string =>
    when(
      commands.length > 0,
      `    stage('${name}') {\n${before}      steps {\n${lines(
        commands.map((command) => `sh '${command}'`),
        "        ",
      )}      }\n    }\n`,
    );
  return `${when(!words.callsDagger, needsEngine.replace("#", "//"))}pipeline {
  agent any
  options { timeout(time: 30, unit: 'MINUTES') }
${when(cache !== undefined, `${loginNote("  ").replace("#", "//")}  environment {\n    FASTLOOP_CACHE_FROM = '${cache}'\n    FASTLOOP_CACHE_TO = "\${env.BRANCH_NAME == '${branch}' ? '${cache}' : ''}"\n  }\n`)}  stages {
${stage("set-up", [...install, ...validate, ...setup])}${stage("test", [test])}${stage(
    "base",
    publish,
    `      when { branch '${branch}' }\n      environment {\n        REGISTRY = credentials('registry')\n        REGISTRY_USERNAME = "\${REGISTRY_USR}"\n        REGISTRY_PASSWORD = "\${REGISTRY_PSW}"\n      }\n`,
  )}  }
}
`;
}

/** Template for Azure Pipelines, on Microsoft-hosted agents. */
export function azure(words: Words): string {
  const { callsDagger, install, validate, setup, test, cache, branch } = words;
  const publish = words.publishBase("$REGISTRY_USERNAME");
  const onBranch = `eq(variables['Build.SourceBranch'], 'refs/heads/${branch}')`;
  const node = when(
    !callsDagger,
    `      - task: UseNode@1
        inputs:
          version: 24.x
`,
  );
  const script = "      - script: ";
  return `trigger: [${branch}]
pr: ["*"]
pool:
  vmImage: ubuntu-24.04
${when(
  !callsDagger,
  `variables:
  # fastloop brings this engine; it needs root, which an agent's user is not.
  - name: FASTLOOP_ENGINE
    value: embedded
${when(
  cache !== undefined,
  `${loginNote("  ")}  - name: FASTLOOP_CACHE_FROM
    value: ${cache}
  - \${{ if ${onBranch} }}:
      - name: FASTLOOP_CACHE_TO
        value: ${cache}
`,
)}`,
)}jobs:
  - job: test
    timeoutInMinutes: 30
    steps:
${node}${lines([...install, ...validate, ...setup, test], script)}${when(
    publish.length > 0,
    `  - job: base
    condition: ${onBranch}
    steps:
${node}${lines([...install, ...setup], script)}${lines(publish, script, "\n        env:\n          REGISTRY_PASSWORD: $(REGISTRY_PASSWORD)")}`,
  )}`;
}

/** Template for Buildkite, on self-hosted agents. */
export function buildkite(words: Words): string {
  const { install, validate, setup, test, cache, branch } = words;
  const publish = words.publishBase("$$REGISTRY_USERNAME");
  const step = (label: string, commands: readonly string[], more = ""): string => `  - label: ${label}
${more}    timeout_in_minutes: 30
    commands:
${lines(commands, "      - ")}`;
  const commands = [...install, ...validate, ...setup, test];
  return `${when(!words.callsDagger, needsEngine)}${when(cache !== undefined, `${loginNote("")}env:\n  FASTLOOP_CACHE_FROM: ${cache}\n`)}steps:
${
  cache === undefined
    ? step("test", commands)
    : `${step("test", commands, `    if: build.branch != "${branch}"\n`)}${step("test and share", commands, `    if: build.branch == "${branch}"\n    env:\n      FASTLOOP_CACHE_TO: ${cache}\n`)}`
}${when(publish.length > 0, step("base", [...install, ...setup, ...publish], `    if: build.branch == "${branch}"\n`))}`;
}
