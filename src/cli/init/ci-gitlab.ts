import { lines, when } from "./ci-lines.ts";
import type { Words } from "./ci.ts";

/** Template for GitLab CI/CD. Each job is root in a container, which has to be privileged for the embedded engine. */
export function gitlab(words: Words): string {
  const { callsDagger, install, validate, setup, test, deploys } = words;
  const publish = words.publishBase("$CI_REGISTRY_USER");
  return `${when(!callsDagger, head)}stages: [test${deploys.map(({ name }) => `, deploy-${name}`).join("")}]
test:
  stage: test
${callsDagger ? rules() : rules("      variables:\n        FASTLOOP_CACHE_TO: $CI_REGISTRY_IMAGE/cache:latest\n")}  script:
${lines([...(callsDagger ? [] : login), ...install, ...validate, ...setup, test], item)}${when(publish.length > 0, baseJob(words, publish))}${deploys.map((deploy) => deployJob(deploy, words)).join("")}`;
}

const item = "    - ";

const head = `image: node:24-bookworm
variables:
  # fastloop brings this engine; the runner has to allow privileged containers, as GitLab's own do.
  FASTLOOP_ENGINE: embedded
  FASTLOOP_CACHE_FROM: $CI_REGISTRY_IMAGE/cache:latest
`;

/** Runs on merge requests and on the default branch; only the latter writes shared caches. */
const rules = (onDefault = ""): string => `  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
${onDefault}    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
`;

/** Writes Docker's configuration, which fastloop reads, because the image has no docker for `docker login`. */
const login = [
  "mkdir -p ~/.docker",
  `|-
      printf '{"auths":{"%s":{"username":"%s","password":"%s"}}}' "$CI_REGISTRY" "$CI_REGISTRY_USER" "$CI_REGISTRY_PASSWORD" > ~/.docker/config.json`,
];

const baseJob = ({ install, setup }: Words, publish: readonly string[]): string => `base:
  stage: test
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    REGISTRY_PASSWORD: $CI_REGISTRY_PASSWORD
  script:
${lines([...install, ...setup, ...publish], item)}`;

const deployJob = ({ name, command }: Words["deploys"][number], { install, setup }: Words): string => `deploy-${name}:
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
${lines([...install, ...setup, command], item)}`;
