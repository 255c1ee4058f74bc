/**
 * Workflow files for CI systems. They get fastloop, pinned, and call functions: what CI does, anyone can do at home.
 */
import type { TierName } from "../../config/index.ts";
import { github } from "./ci-github.ts";
import { gitlab } from "./ci-gitlab.ts";
import { azure, buildkite, circleci, jenkins } from "./ci-others.ts";

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
  /** The last tier that a suite has: it includes those before it. */
  tier?: TierName;
  /** What is deployed, and whose results others may take. */
  defaultBranch?: string;
  /** `images.base.registry`, where the base is published to and taken from. */
  baseRegistry?: string;
  /** Where machines share results: `HOST/NAME:TAG`. */
  cache?: string;
  /** What the default branch is deployed to, one after the other. */
  deploys?: readonly CiDeploy[];
}

export interface CiDeploy {
  name: string;
  isProduction: boolean;
  /** The production image is published first. */
  isPublished: boolean;
}

/** What the templates are made of: command lines, and where they apply. */
export interface Words {
  /** Whether a Dagger engine of the runner's does all. */
  callsDagger: boolean;
  /** Gets fastloop; none where `npx` does. */
  install: string[];
  /** Checks the configuration; none where only `dagger` is. */
  validate: string[];
  /** Prepares the machine: a function's own call installs no system packages. */
  setup: string[];
  test: string;
  /** Publishes the base where it is not published yet; none where it has no registry. */
  publishBase(username: string): string[];
  /** Host of the registry that has the base and the cache. */
  registryHost: string | undefined;
  cache: string | undefined;
  branch: string;
  /** Environments with the command that deploys to them; none where only `dagger` is, which has no kubeconfig of its own. */
  deploys: { name: string; command: string; isPublished: boolean }[];
}

const paths: Record<CiName, string> = {
  github: ".github/workflows/fastloop.yml",
  gitlab: ".gitlab-ci.yml",
  circleci: ".circleci/config.yml",
  jenkins: "Jenkinsfile",
  azure: "azure-pipelines.yml",
  buildkite: ".buildkite/pipeline.yml",
};

const templates: Record<CiName, (words: Words) => string> = { github, gitlab, circleci, jenkins, azure, buildkite };

/**
 * The user of a hosted runner may become root without a password, and the embedded engine has to be: containers need it.
 * Jobs of GitLab are root in their container; an agent of one's own keeps its user, as what root leaves in its folders
 * would be in the way of the next job.
 */
const rootPrefix: Partial<Record<CiName, string>> = {
  github: 'sudo -E env "PATH=$PATH" ',
  circleci: 'sudo -E env "PATH=$PATH" ',
  azure: 'sudo -E env "PATH=$PATH" ',
};

/** Where the file lies in the repository. */
export const ciPath = (name: CiName): string => paths[name];

export function ciFile(name: CiName, options: CiOptions): CiFile {
  return { path: paths[name], text: templates[name](wordsOf(options, rootPrefix[name] ?? "")) };
}

function wordsOf(options: CiOptions, asRoot: string): Words {
  const { version, isDependency, tier = "full", defaultBranch = "main", baseRegistry, deploys = [] } = options;
  const callsDagger = options.callsDagger === true;
  const fastloop = isDependency ? "npx fastloop" : `npx --yes fastloop@${version}`;
  const call = callsDagger ? "dagger call" : `${asRoot}${fastloop} call`;
  const cache = callsDagger ? undefined : options.cache;
  return {
    callsDagger,
    install: isDependency && !callsDagger ? ["npm ci"] : [],
    validate: callsDagger ? [] : [`${fastloop} validate`],
    setup: callsDagger ? [] : [`${asRoot}${fastloop} setup`],
    test: `${call} test --source . --tier ${tier}`,
    publishBase: (username) =>
      baseRegistry === undefined
        ? []
        : [
            `${call} publish-base --registry ${baseRegistry} --username "${username}" --password env://REGISTRY_PASSWORD`,
          ],
    registryHost: (cache ?? baseRegistry)?.split("/")[0],
    cache,
    branch: defaultBranch,
    deploys: callsDagger
      ? []
      : deploys.map(({ name, isProduction, isPublished }) => ({
          name,
          isPublished,
          command: `${asRoot}${fastloop} deploy ${name} --trust${isPublished ? " --publish" : ""}${isProduction ? ` --yes ${name}` : ""}`,
        })),
  };
}
