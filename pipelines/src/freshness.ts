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

/**
 * Returns system packages and global npm packages that an installation today would bring in a different version, as
 * `name old -> new`. Not cached.
 */
export async function packagesMoved(base: BaseImageConfig, lock: Lock, published: PublishedBase): Promise<string[]> {
  const [system, globals] = await Promise.all([
    systemPackagesMoved(base, lock, published),
    globalsMoved(base.globals ?? [], published.image),
  ]);
  return [...system, ...globals];
}

async function systemPackagesMoved(
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
    .withEnvVariable(nonce, new Date().toISOString())
    .withExec(["sh", "-ec", script]);
  const [text, installed] = await Promise.all([simulated.stdout(), systemPackages(image)]);
  return text.split("\n").flatMap((line) => {
    const [name = "", version] = line.split(" ");
    return version === undefined || installed[name] === version
      ? []
      : [`${name} ${installed[name] ?? "(absent)"} -> ${version}`];
  });
}

/** Asks the registry from the published image, which has npm. What the registry does not answer has not moved. */
async function globalsMoved(globals: readonly string[], published: Container): Promise<string[]> {
  const floating = globals.flatMap((spec) => floatingPackage(spec) ?? []);
  if (floating.length === 0) return [];
  const image = published.withUser("root").withEnvVariable(nonce, new Date().toISOString());
  const views = floating.map(
    ({ spec }) => `npm view --json ${quote(spec)} version dist-tags.latest 2>/dev/null | tr -d '[:space:]'; echo`,
  );
  const [answers, listing] = await Promise.all([
    image.withExec(["sh", "-c", views.join("\n")]).stdout(),
    image.withExec(["sh", "-c", "npm ls --json --global --depth=0 2>/dev/null || true"]).stdout(),
  ]);
  const installed = JSON.parse(listing || "{}") as { dependencies?: Record<string, { version?: string }> };
  return answers.split("\n").flatMap((answer, index) => {
    const name = floating[index]?.name;
    const today = chosenIn(answer);
    const then = name === undefined ? undefined : installed.dependencies?.[name]?.version;
    return name === undefined || today === undefined || then === today
      ? []
      : [`${name} ${then ?? "(absent)"} -> ${today}`];
  });
}

/** Returns a global npm package that a registry decides; undefined for an exact version, an archive or a repository. */
export function floatingPackage(spec: string): { name: string; spec: string } | undefined {
  const [, name, version = ""] = /^((?:@[\w.-]+\/)?[\w.-]+)(?:@([^:/]*))?$/.exec(spec) ?? [];
  return name === undefined || /^=?v?\d+\.\d+\.\d+/.test(version) ? undefined : { name, spec };
}

/**
 * Returns the version that npm would install, out of an answer of `npm view`: of all that match, oldest first, the one
 * tagged `latest`, else the newest.
 */
export function chosenIn(answer: string): string | undefined {
  let matching: { version?: unknown; "dist-tags.latest"?: unknown }[];
  try {
    matching = [JSON.parse(answer) as unknown].flat().filter((each) => typeof each === "object" && each !== null);
  } catch {
    return undefined;
  }
  const found = matching.find((each) => each.version === each["dist-tags.latest"]) ?? matching.at(-1);
  return typeof found?.version === "string" ? found.version : undefined;
}

const nonce = "FASTLOOP_NONCE";

/** Returns the digest of `name@sha256:…`. */
export const digestIn = (reference: string | undefined): string | undefined => reference?.split("@")[1];
