import { Inputs, type State, type StepOptions } from "./state.ts";

export interface ImageOptions extends StepOptions {
  /** `local` uses the daemon's copy without asking the registry; `pull` always asks. */
  resolveMode?: "default" | "pull" | "local";
}

/**
 * An image's file system. `reference` is complete: `docker.io/library/debian:bookworm-slim`, preferably with
 * `@sha256:…`.
 */
export function image(reference: string, options: ImageOptions = {}): State {
  const { resolveMode = "default" } = options;
  return source(
    `docker-image://${reference}`,
    resolveMode === "default" ? {} : { "image.resolvemode": resolveMode },
    options,
  );
}

/** A host tree that the client serves. */
export function local(tree: { name: string; sessionId: string }, options: StepOptions = {}): State {
  return source(`local://${tree.name}`, { "local.session": tree.sessionId }, options);
}

export interface GitOptions extends StepOptions {
  /** Branch, tag or commit; the default branch when absent. */
  ref?: string;
  keepGitDir?: boolean;
  /** Ids in the build's secret store. */
  authTokenSecret?: string;
  authHeaderSecret?: string;
  knownSshHosts?: string;
  /** Id of the forwarded ssh agent. */
  sshSocket?: string;
}

/** A repository's tree at one ref. `remote` is a URL in any form that git accepts. */
export function git(remote: string, options: GitOptions = {}): State {
  const bare = remote.replace(/^(https?|ssh|git|file):\/\//, "").replace(/^[^/@]+@([^:/]+):(?!\d)/, "$1/");
  const attributes: Record<string, string> = { "git.fullurl": remote };
  if (options.keepGitDir === true) attributes["git.keepgitdir"] = "true";
  if (options.authTokenSecret !== undefined) attributes["git.authtokensecret"] = options.authTokenSecret;
  if (options.authHeaderSecret !== undefined) attributes["git.authheadersecret"] = options.authHeaderSecret;
  if (options.knownSshHosts !== undefined) attributes["git.knownsshhosts"] = options.knownSshHosts;
  if (options.sshSocket !== undefined) attributes["git.mountsshsock"] = options.sshSocket;
  return source(`git://${bare}${options.ref === undefined ? "" : `#${options.ref}`}`, attributes, options);
}

/** An OCI image layout that the session offers (`Container.import`). */
export function ociLayout(
  reference: string,
  store: { sessionId: string; storeId: string },
  options: StepOptions = {},
): State {
  return source(`oci-layout://${reference}`, { "oci.session": store.sessionId, "oci.store": store.storeId }, options);
}

function source(identifier: string, attrs: Record<string, string>, options: StepOptions): State {
  return { vertex: new Inputs().vertex({ source: { identifier, attrs } }, options), output: 0 };
}
