import { lines, when } from "./ci-lines.ts";
import type { Words } from "./ci.ts";

/** Template for GitHub Actions. Actions are pinned by commit, as tags can be moved. */
export function github(words: Words): string {
  const { callsDagger, install, validate, setup, test, cache, branch, deploys } = words;
  const publish = words.publishBase("$REGISTRY_USERNAME");
  return `name: fastloop
on:
  pull_request:
  push:
    branches: [${branch}]
permissions:
  contents: read
concurrency:
  group: fastloop-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
${when(!callsDagger, environment(cache))}jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
${when(cache !== undefined, cachePermissions(cache!, branch))}    steps:
${checkout}${when(!callsDagger, setUpNode)}${when(cache !== undefined && words.registryHost === "ghcr.io", login)}${lines(install, run)}${lines(validate, run, " --format github")}${lines(setup, run)}${lines([test], run)}${when(publish.length > 0, baseJob(words, publish))}${deploys.map((deploy, index) => deployJob(deploy, deploys[index - 1]?.name, words)).join("")}`;
}

const run = "      - run: ";
const checkout = "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2\n";
const setUpNode = `      - uses: actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0
        with:
          node-version: 24
`;

const login = `      - uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0
        with:
          registry: ghcr.io
          username: \${{ github.actor }}
          password: \${{ secrets.GITHUB_TOKEN }}
`;

const environment = (cache: string | undefined): string => `env:
  # fastloop brings this engine; it needs root, which a runner's user is not.
  FASTLOOP_ENGINE: embedded
${when(cache !== undefined, `  FASTLOOP_CACHE_FROM: ${cache}\n`)}`;

const cachePermissions = (cache: string, branch: string): string => `    permissions:
      contents: read
      # The shared cache; pull requests from forks get a token that only reads.
      packages: write
    env:
      FASTLOOP_CACHE_TO: \${{ github.ref == 'refs/heads/${branch}' && '${cache}' || '' }}
`;

/** A job of its own: the tests build the base themselves until it is published. */
const baseJob = (
  { callsDagger, install, setup, branch, registryHost }: Words,
  publish: readonly string[],
): string => `  base:
    if: github.ref == 'refs/heads/${branch}'
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
      packages: write
    env:
      REGISTRY_USERNAME: \${{ ${registryHost === "ghcr.io" ? "github.actor" : "secrets.REGISTRY_USERNAME"} }}
      REGISTRY_PASSWORD: \${{ ${registryHost === "ghcr.io" ? "secrets.GITHUB_TOKEN" : "secrets.REGISTRY_PASSWORD"} }}
    steps:
${checkout}${when(!callsDagger, setUpNode)}${lines(install, run)}${lines(setup, run)}${lines(publish, run)}`;

/** One job for each environment, so that its protection rules apply and its permissions are limited to it. */
const deployJob = (
  { name, command, isPublished }: Words["deploys"][number],
  after: string | undefined,
  { install, setup }: Words,
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
${checkout}${setUpNode}      # Here the cloud's own actions log in with this job's identity and write a kubeconfig that has the context of
      # deploy.environments.${name}, e.g. aws-actions/configure-aws-credentials, then \`aws eks update-kubeconfig\`.
${isPublished ? "      # The registry's login is here too, by OIDC or with the job's own token.\n" : ""}${lines(install, run)}${lines(setup, run)}${lines([command], run)}`;
