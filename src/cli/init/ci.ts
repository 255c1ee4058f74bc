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
}

export function ciFile(name: CiName, options: CiOptions): CiFile {
  return { path: paths[name], text: templates[name](wordsOf(options)) };
}

/** The command lines of a workflow. */
interface Words {
  /** Gets fastloop; none where `npx` does. */
  install: string[];
  /** Prepares the machine: a function's own call installs no system packages. */
  setup: string;
  validate: string;
  tier(name: string): string;
}

function wordsOf({ version, isDependency }: CiOptions): Words {
  const fastloop = isDependency ? "npx fastloop" : `npx --yes fastloop@${version}`;
  return {
    install: isDependency ? ["npm ci"] : [],
    setup: `${fastloop} setup`,
    validate: `${fastloop} validate`,
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
      - uses: actions/setup-node@v4
        with:
          node-version: 24
${lines(install, "      - run: ")}      - run: ${validate} --format github
      - run: ${setup}
      - run: ${tier("${{ matrix.tier }}")}
`,
  gitlab: ({ install, setup, validate, tier }) => `image: node:24-bookworm
stages: [test]
test:
  stage: test
  parallel:
    matrix:
      - TIER: [smoke, fast, full]
  script:
${lines(install, "    - ")}    - ${validate}
    - ${setup}
    - ${tier('"$TIER"')}
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
${lines(install, "      - run: ")}      - run: ${validate}
      - run: ${setup}
      - run: ${tier("<< parameters.tier >>")}
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
    stage('validate') { steps { ${install.map((command) => `sh '${command}'; `).join("")}sh '${validate}' } }
    stage('setup') { steps { sh '${setup}' } }
    stage('smoke') { steps { sh '${tier("smoke")}' } }
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
${lines(install, "  - script: ")}  - script: ${validate}
  - script: ${setup}
  - script: ${tier("$(tier)")}
`,
  buildkite: ({ install, setup, validate, tier }) => `steps:
  - label: "test {{matrix}}"
    matrix: [smoke, fast, full]
    timeout_in_minutes: 20
    commands:
${lines(install, "      - ")}      - ${validate}
      - ${setup}
      - ${tier("{{matrix}}")}
`,
};

const lines = (commands: readonly string[], start: string): string =>
  commands.map((command) => `${start}${command}\n`).join("");
