/**
 * Workflow files for CI systems. They get fastloop, pinned, and call functions: what CI does, anyone can do at home.
 */
export const ciNames = ["github", "gitlab", "circleci", "jenkins", "azure", "buildkite"] as const;
export type CiName = (typeof ciNames)[number];

export interface CiFile {
  path: string;
  text: string;
}

export interface CiOptions {
  /** The version of fastloop that is running. */
  version: string;
  /** Whether the repository's own package.json and lock file have fastloop; then they say which. */
  isDependency: boolean;
  /** `dagger call` alone, on runners that have a Dagger engine; else fastloop, which brings one. */
  callsDagger?: boolean;
}

export function ciFile(name: CiName, options: CiOptions): CiFile {
  return { path: paths[name], text: templates[name](wordsOf(options)) };
}

/** Where the file lies in the repository. */
export const ciPath = (name: CiName): string => paths[name];

/** The command lines of a workflow. */
interface Words {
  /** Gets fastloop; none where `npx` does. */
  install: string[];
  /** Prepares the machine: a function's own call installs no system packages. */
  setup: string[];
  /** Checks the configuration; none where only `dagger` is. */
  validate: string[];
  tier(name: string): string;
}

function wordsOf({ version, isDependency, callsDagger }: CiOptions): Words {
  if (callsDagger === true)
    return { install: [], setup: [], validate: [], tier: (name) => `dagger call test --source . --tier ${name}` };
  const fastloop = isDependency ? "npx fastloop" : `npx --yes fastloop@${version}`;
  return {
    install: isDependency ? ["npm ci"] : [],
    setup: [`${fastloop} setup`],
    validate: [`${fastloop} validate`],
    tier: (name) => `${fastloop} call test --source . --tier ${name}`,
  };
}

const paths: Record<CiName, string> = {
  github: ".github/workflows/fastloop.yml",
  gitlab: ".gitlab-ci.yml",
  circleci: ".circleci/config.yml",
  jenkins: "Jenkinsfile",
  azure: "azure-pipelines.yml",
  buildkite: ".buildkite/pipeline.yml",
};

const templates: Record<CiName, (words: Words) => string> = {
  github: ({ install, setup, validate, tier }) => `name: fastloop
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
concurrency:
  group: fastloop-\${{ github.ref }}
  cancel-in-progress: true
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    strategy:
      fail-fast: false
      matrix:
        tier: [smoke, fast, full]
    steps:
      - uses: actions/checkout@v4
${validate.length === 0 ? "" : setUpNode}${lines(install, "      - run: ")}${lines(validate, "      - run: ", " --format github")}${lines(setup, "      - run: ")}      - run: ${tier("${{ matrix.tier }}")}
`,
  gitlab: ({ install, setup, validate, tier }) => `image: node:24-bookworm
stages: [test]
test:
  stage: test
  parallel:
    matrix:
      - TIER: [smoke, fast, full]
  script:
${lines([...install, ...validate, ...setup], "    - ")}    - ${tier('"$TIER"')}
`,
  circleci: ({ install, setup, validate, tier }) => `version: 2.1
jobs:
  test:
    parameters:
      tier:
        type: string
    machine:
      image: ubuntu-2404:current
    steps:
      - checkout
${lines([...install, ...validate, ...setup], "      - run: ")}      - run: ${tier("<< parameters.tier >>")}
workflows:
  test:
    jobs:
      - test:
          matrix:
            parameters:
              tier: [smoke, fast, full]
`,
  jenkins: ({ install, setup, validate, tier }) => `pipeline {
  agent any
  options { timeout(time: 20, unit: 'MINUTES') }
  stages {
${validate.length === 0 ? "" : `    stage('validate') { steps { ${[...install, ...validate].map((command) => `sh '${command}'`).join("; ")} } }\n`}${setup.map((command) => `    stage('setup') { steps { sh '${command}' } }\n`).join("")}    stage('smoke') { steps { sh '${tier("smoke")}' } }
    stage('fast') { steps { sh '${tier("fast")}' } }
    stage('full') { steps { sh '${tier("full")}' } }
  }
}
`,
  azure: ({ install, setup, validate, tier }) => `trigger: [main]
pr: ['*']
pool:
  vmImage: ubuntu-24.04
strategy:
  matrix:
    smoke: { tier: smoke }
    fast: { tier: fast }
    full: { tier: full }
steps:
${lines([...install, ...validate, ...setup], "  - script: ")}  - script: ${tier("$(tier)")}
`,
  buildkite: ({ install, setup, validate, tier }) => `steps:
  - label: "test {{matrix}}"
    matrix: [smoke, fast, full]
    timeout_in_minutes: 20
    commands:
${lines([...install, ...validate, ...setup], "      - ")}      - ${tier("{{matrix}}")}
`,
};

const setUpNode = "      - uses: actions/setup-node@v4\n        with:\n          node-version: 24\n";

const lines = (commands: readonly string[], start: string, end = ""): string =>
  commands.map((command) => `${start}${command}${end}\n`).join("");
