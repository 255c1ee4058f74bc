// Where the sources of a release are. npm accepts a provenance only for a package that names the repository it was built in.
import process from "node:process";
import { SetupError } from "../setup/errors.mjs";

/** `repository`, `homepage` and `bugs` of a manifest; none outside of a workflow, where nobody knows. */
export function repositoryFields(env = process.env) {
  const name = env.GITHUB_REPOSITORY;
  if (!name) return {};
  const address = `${env.GITHUB_SERVER_URL || "https://github.com"}/${name}`;
  return {
    repository: { type: "git", url: `git+${address}.git` },
    homepage: `${address}#readme`,
    bugs: `${address}/issues`,
  };
}

/** Throws where a workflow runs for a tag that is not `version`. */
export function checkTag(version, env = process.env) {
  if (env.GITHUB_REF_TYPE !== "tag" || env.GITHUB_REF_NAME === `v${version}`) return;
  throw new SetupError(`the tag is ${env.GITHUB_REF_NAME}, and package.json says ${version}`, {
    next: `tag the commit as v${version}, or set the version with npm version; nothing was published`,
  });
}
