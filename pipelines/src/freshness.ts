import type { Container, Platform } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { quote } from "./base.ts";
import { imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { systemPackages } from "./parity.ts";
import { resolveReference } from "./published.ts";

/** The label for the digest of the image that an image was built from, named as in the OCI image specification. */
export const fromDigestLabel = "org.opencontainers.image.base.digest";

export interface PublishedBase {
  image: Container;
  platform?: Platform;
}

/**
 * Returns, as text, what a build today would change in the published base: a new digest of its `from`, or other package
 * versions. Empty if nothing.
 */
export async function whatMoved(
  base: BaseImageConfig,
  lock: Lock,
  published: readonly PublishedBase[],
): Promise<string[]> {
  const [upstream, ...packages] = await Promise.all([
    upstreamMoved(base, lock, published),
    ...published.map((each) => packagesMoved(base, lock, each)),
  ]);
  return [...upstream, ...new Set(packages.flat())];
}

/** Returns the change of the base's `from`, at most one. An image that the lock pins does not change. */
async function upstreamMoved(
  base: BaseImageConfig,
  lock: Lock,
  published: readonly PublishedBase[],
): Promise<string[]> {
  const today = digestIn(await resolveReference(pinned(base.from, lock)));
  const built = await Promise.all(published.map(({ image }) => image.label(fromDigestLabel)));
  // An image that can't be resolved can't be built from, so it is no reason to build.
  if (today === undefined || built.every((digest) => digest === today)) return [];
  const then = built.find((digest) => digest !== today);
  return [
    then
      ? `${base.from} moved from ${then.slice(0, 19)} to ${today.slice(0, 19)}`
      : `the published base does not record which ${base.from} it was built from`,
  ];
}

/** Returns packages that an installation today would bring in a different version, as `name old -> new`. Not cached. */
export async function packagesMoved(
  base: BaseImageConfig,
  lock: Lock,
  { image, platform }: PublishedBase,
): Promise<string[]> {
  const { packages = [] } = base;
  if (packages.length === 0) return [];
  const names = packages.map(quote).join(" ");
  const script = [
    "if command -v apt-get >/dev/null; then",
    `  apt-get update -qq >&2; apt-get --just-print --no-install-recommends install ${names} | sed -nE 's/^Inst ([^ ]+) (\\[[^]]*\\] )?\\(([^ ]+).*/\\1 \\3/p'`,
    "elif command -v apk >/dev/null; then",
    `  apk update -q >&2; apk add --simulate ${names} | sed -nE 's/^\\([0-9/]+\\) (Installing|Upgrading) ([^ ]+) \\((.* -> )?([^)]+)\\).*/\\2 \\4/p'`,
    "fi",
  ].join("\n");
  const simulated = imageOf(base.from, lock, platform)
    .withUser("root")
    .withEnvVariable("FASTLOOP_NONCE", new Date().toISOString())
    .withExec(["sh", "-ec", script]);
  const [text, installed] = await Promise.all([simulated.stdout(), systemPackages(image)]);
  return text.split("\n").flatMap((line) => {
    const [name = "", version] = line.split(" ");
    return version === undefined || installed[name] === version
      ? []
      : [`${name} ${installed[name] ?? "(absent)"} -> ${version}`];
  });
}

/** Returns the digest of `name@sha256:…`. */
export const digestIn = (reference: string | undefined): string | undefined => reference?.split("@")[1];
