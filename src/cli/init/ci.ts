/**
 * Writes workflow files for CI systems. They install a pinned fastloop and call functions, so that everything CI does
 * also runs locally.
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
  /** Version of the running fastloop. */
  version: string;
  /** Whether the repository's package.json and lock file contain fastloop; they then determine the version. */
  isDependency: boolean;
  /**
   * Whether to use `dagger call` alone, on runners with a Dagger engine; otherwise fastloop, which brings an engine.
   */
  callsDagger?: boolean;
  /** Last tier of any suite; it includes the earlier ones. */
  tier?: TierName;
  /** Branch that is deployed, and that writes shared results. */
  defaultBranch?: string;
  /** `images.base.registry`: the base is published to it and pulled from it. */
  baseRegistry?: string;
  /** Shared cache of results: `HOST/NAME:TAG`. */
  cache?: string;
  /** Environments that the default branch is deployed to, in this order. */
  deploys?: readonly CiDeploy[];
}

export interface CiDeploy {
  name: string;
  isProduction: boolean;
  /** Whether the production image is published first. */
  isPublished: boolean;
}

/** Values that the templates are filled with: command lines, and where they apply. */
export interface Words {
  /** Whether the runner's Dagger engine runs everything. */
  callsDagger: boolean;
  /** Installs fastloop; empty when `npx` is enough. */
  install: string[];
  /** Validates the configuration; empty when there is only `dagger`. */
  validate: string[];
  /** Prepares the machine, because calling a function installs no system packages. */
  setup: string[];
  test: string;
  /** Publishes the base if it is not published yet; empty when it has no registry. */
  publishBase(username: string): string[];
  /** Host of the registry with the base and the cache. */
  registryHost: string | undefined;
  cache: string | undefined;
  branch: string;
  /**
   * Environments with the command that deploys to them; empty with `dagger` alone, which reads no kubeconfig by itself.
   */
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
 * The user of a hosted runner may become root without a password, and the embedded engine has to be root to run
 * containers. Jobs of GitLab are root in their container. A self-hosted agent keeps its user, because files that root
 * leaves in its folders would break the next job.
 */
const rootPrefix: Partial<Record<CiName, string>> = {
  github: 'sudo -E env "PATH=$PATH" ',
  circleci: 'sudo -E env "PATH=$PATH" ',
  azure: 'sudo -E env "PATH=$PATH" ',
};

/** Returns the file's path in the repository. */
export const ciPath = (name: CiName): string => paths[name];

/** Returns the workflow file for a CI system. */
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
