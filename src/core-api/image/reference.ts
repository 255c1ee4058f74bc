import { ApiError } from "../values/errors.ts";

export interface ImageReference {
  /** Registry host; `docker.io` if none was named. */
  host: string;
  /** Host and path, for example `docker.io/library/debian`. */
  repository: string;
  tag?: string;
  digest?: string;
}

/**
 * Parses `debian`, `debian:bookworm` or `ghcr.io/a/b@sha256:…`, with Docker's defaults for host, `library/` and tag.
 * Throws an `ApiError` for an invalid reference.
 */
export function parseImageReference(text: string): ImageReference {
  const invalid = (why = ""): ApiError =>
    new ApiError(
      `failed to parse image address ${JSON.stringify(text)}: invalid reference format${why === "" ? "" : `: ${why}`}`,
    );
  const withoutScheme = text.trim();
  const [beforeDigest = "", digest, ...more] = withoutScheme.split("@");
  if (more.length > 0 || (digest !== undefined && !/^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest))) throw invalid();
  const slash = beforeDigest.lastIndexOf("/");
  const colon = beforeDigest.indexOf(":", slash + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) throw invalid();
  const first = name.split("/")[0]!;
  const hasHost = name.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost");
  const host = hasHost ? first : "docker.io";
  let path = hasHost ? name.slice(first.length + 1) : name;
  if (/[A-Z]/.test(path) && isRepository(path.toLowerCase()))
    throw invalid(`repository name (${path}) must be lowercase`);
  if (!isRepository(path)) throw invalid();
  if (host === "docker.io" && !path.includes("/")) path = `library/${path}`;
  return { host, repository: `${host}/${path}`, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

function isRepository(path: string): boolean {
  return /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/.test(path);
}

/** Returns the canonical text of a reference, with both tag and digest if both are known. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.repository}${tag}${digest}`;
}
