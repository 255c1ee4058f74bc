/** Workflow files for CI systems. They call functions and nothing else: what CI does, anyone can do at home. */
export const ciNames = ["github", "gitlab", "circleci", "jenkins", "azure", "buildkite"] as const;
export type CiName = (typeof ciNames)[number];

export interface CiFile {
  path: string;
  text: string;
}

const install = "npm ci";
const validate = "npx fastloop validate";
const tier = (name: string): string => `npx fastloop call test --source . --tier ${name}`;

export function ciFile(name: CiName): CiFile {
  return { path: paths[name], text: templates[name] };
}

const paths: Record<CiName, string> = {
  github: ".github/workflows/fastloop.yml",
  gitlab: ".gitlab-ci.yml",
  circleci: ".circleci/config.yml",
  jenkins: "Jenkinsfile",
  azure: "azure-pipelines.yml",
  buildkite: ".buildkite/pipeline.yml",
};

const templates: Record<CiName, string> = {
  github: `name: fastloop
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
          node-version: 22
          cache: npm
      - run: ${install}
      - run: ${validate} --format github
      - run: ${tier("${{ matrix.tier }}")}
`,
  gitlab: `image: node:22-bookworm
stages: [test]
test:
  stage: test
  parallel:
    matrix:
      - TIER: [smoke, fast, full]
  script:
    - ${install}
    - ${validate}
    - ${tier('"$TIER"')}
`,
  circleci: `version: 2.1
jobs:
  test:
    parameters:
      tier:
        type: string
    machine:
      image: ubuntu-2404:current
    steps:
      - checkout
      - run: ${install}
      - run: ${validate}
      - run: ${tier("<< parameters.tier >>")}
workflows:
  test:
    jobs:
      - test:
          matrix:
            parameters:
              tier: [smoke, fast, full]
`,
  jenkins: `pipeline {
  agent any
  options { timeout(time: 20, unit: 'MINUTES') }
  stages {
    stage('validate') { steps { sh '${install}'; sh '${validate}' } }
    stage('smoke') { steps { sh '${tier("smoke")}' } }
    stage('fast') { steps { sh '${tier("fast")}' } }
    stage('full') { steps { sh '${tier("full")}' } }
  }
}
`,
  azure: `trigger: [main]
pr: ['*']
pool:
  vmImage: ubuntu-24.04
strategy:
  matrix:
    smoke: { tier: smoke }
    fast: { tier: fast }
    full: { tier: full }
steps:
  - script: ${install}
  - script: ${validate}
  - script: ${tier("$(tier)")}
`,
  buildkite: `steps:
  - label: "test {{matrix}}"
    matrix: [smoke, fast, full]
    timeout_in_minutes: 20
    commands:
      - ${install}
      - ${validate}
      - ${tier("{{matrix}}")}
`,
};
