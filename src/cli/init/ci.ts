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
  /** What the default branch is deployed to, one after the other. */
  deploys?: readonly CiDeploy[];
}

export interface CiDeploy {
  name: string;
  isProduction: boolean;
  /** The production image is published first. */
  isPublished: boolean;
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
  /** Environments with the command that deploys to them; none where only `dagger` is, which has no kubeconfig of its own. */
  deploys: { name: string; command: string; isPublished: boolean }[];
}

function wordsOf({ version, isDependency, callsDagger, deploys = [] }: CiOptions): Words {
  if (callsDagger === true)
    return {
      install: [],
      setup: [],
      validate: [],
      tier: (name) => `dagger call test --source . --tier ${name}`,
      deploys: [],
    };
  const fastloop = isDependency ? "npx fastloop" : `npx --yes fastloop@${version}`;
  return {
    install: isDependency ? ["npm ci"] : [],
    setup: [`${fastloop} setup`],
    validate: [`${fastloop} validate`],
    tier: (name) => `${fastloop} call test --source . --tier ${name}`,
    deploys: deploys.map(({ name, isProduction, isPublished }) => ({
      name,
      isPublished,
      command: `${fastloop} deploy ${name} --trust${isPublished ? " --publish" : ""}${isProduction ? ` --yes ${name}` : ""}`,
    })),
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
  github: ({ install, setup, validate, tier, deploys }) => `name: fastloop
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
${deploys.map((deploy, index) => githubDeploy(deploy, deploys[index - 1]?.name, { install, setup })).join("")}`,
  gitlab: ({ install, setup, validate, tier, deploys }) => `image: node:24-bookworm
stages: [test${deploys.map(({ name }) => `, deploy-${name}`).join("")}]
test:
  stage: test
  parallel:
    matrix:
      - TIER: [smoke, fast, full]
  script:
${lines([...install, ...validate, ...setup], "    - ")}    - ${tier('"$TIER"')}
${deploys.map((deploy) => gitlabDeploy(deploy, { install, setup })).join("")}`,
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

/** One job for an environment: its protection rules hold, and what it may do ends with it. */
const githubDeploy = (
  { name, command, isPublished }: Words["deploys"][number],
  after: string | undefined,
  { install, setup }: Pick<Words, "install" | "setup">,
): string => `  deploy-${name}:
    needs: ${after === undefined ? "test" : `deploy-${after}`}
    if: github.event_name == 'push'
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    # Who must agree, and from which branches, is said in the settings of this environment.
    environment: ${name}
    permissions:
      contents: read
      # The cloud gives credentials of minutes for this job's identity (OIDC): no secret is stored.
      id-token: write
${isPublished ? "      packages: write\n" : ""}    # A deploy is never cancelled in the middle.
    concurrency:
      group: deploy-${name}
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@v4
${setUpNode}      # Here the cloud's own actions log in with this job's identity and write a kubeconfig that has the context of
      # deploy.environments.${name}, e.g. aws-actions/configure-aws-credentials, then \`aws eks update-kubeconfig\`.
${isPublished ? "      # The registry's login is here too, by OIDC or with the job's own token.\n" : ""}${lines(install, "      - run: ")}${lines(setup, "      - run: ")}      - run: ${command}
`;

const gitlabDeploy = (
  { name, command }: Words["deploys"][number],
  { install, setup }: Pick<Words, "install" | "setup">,
): string => `deploy-${name}:
  stage: deploy-${name}
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  # Who may deploy is said in the settings of this environment (protected environments).
  environment: ${name}
  # Never two at once, and never cancelled in the middle.
  resource_group: deploy-${name}
  interruptible: false
  # The cloud gives credentials of minutes for this job's identity (OIDC): no secret is stored.
  id_tokens:
    CLOUD_ID_TOKEN:
      aud: https://gitlab.com
  script:
    # Here the cloud's own program logs in with $CLOUD_ID_TOKEN and writes a kubeconfig with the context of
    # deploy.environments.${name}.
${lines([...install, ...setup], "    - ")}    - ${command}
`;

const setUpNode = "      - uses: actions/setup-node@v4\n        with:\n          node-version: 24\n";

const lines = (commands: readonly string[], start: string, end = ""): string =>
  commands.map((command) => `${start}${command}${end}\n`).join("");
