import type { Directory } from "@dagger.io/dagger";
import type { Config, DeployApp } from "../vendor/config.mjs";
import {
  hasDigest,
  hookOf,
  imagesOf,
  parseManifests,
  parseReplacement,
  replaceImages,
  unusedReplacements,
} from "../vendor/deploy.mjs";
import type { App, ImagePath, Manifest } from "../vendor/deploy.mjs";
import { customOf } from "./deploy-custom.ts";
import { renderChart, renderKustomization } from "./deploy-tools.ts";
import type { Lock } from "./lock.ts";
import { announce, resolveReference } from "./published.ts";
import { Refused } from "./refused.ts";

/** What to deploy: apps, environment, and replacements for the images in the manifests. */
export interface Deployment {
  environment: string;
  /** Names; empty: all apps. */
  apps: string[];
  /** `NAME=REFERENCE@sha256:…`. */
  images: string[];
  /** Refuses images without a digest. */
  strict: boolean;
}

/**
 * Returns the apps with their manifests as a deploy applies them: rendered, and images by digest where one is known.
 * Throws `Refused` for an unknown app, a replacement that matches no image, and with `strict` for an image without a
 * digest.
 */
export async function appsOf(config: Config, source: Directory, lock: Lock, wanted: Deployment): Promise<App[]> {
  const described = config.deploy?.apps ?? {};
  const names = wanted.apps.length > 0 ? [...new Set(wanted.apps)] : Object.keys(described);
  if (names.length === 0) throw new Refused("fastloop.yaml: `deploy.apps` is empty");
  const named = wanted.images.map(parseReplacement);
  const written = await Promise.all(
    names.map(async (name) => {
      const app = described[name];
      if (app === undefined)
        throw new Refused(
          `fastloop.yaml: there is no app \`${name}\` in \`deploy.apps\`; there are: ${Object.keys(described).join(", ")}`,
        );
      return {
        name,
        kinds: kindsOf(app),
        custom: customOf(name, app, wanted.environment),
        manifests: await manifestsOf(config, name, app, source, lock, wanted.environment),
      };
    }),
  );
  const all = written.flatMap(({ manifests }) => manifests);
  const kinds = written.flatMap((app) => app.kinds);
  const unused = unusedReplacements(
    all,
    named.map(([name]) => name),
    kinds,
  );
  // A command gets the replacements as they are, so they need not match an image here.
  if (unused.length > 0 && written.every(({ custom }) => custom.custom === undefined))
    throw new Refused(
      `--image ${unused.join(", ")}: no manifest has this image; there are: ${imagesOf(all, kinds).join(", ") || "none"}`,
    );
  const replacements = await digestsFor(imagesOf(all, kinds), named, lock);
  const apps = written.map(({ name, manifests, kinds, custom }) => ({
    name,
    ...custom,
    manifests: replaceImages(manifests, replacements, kinds),
    kinds,
  }));
  if (wanted.strict) refuseTags(apps, wanted.environment);
  return apps.map(({ kinds: _ofImages, ...app }) => app);
}

const kindsOf = ({ kinds = [] }: DeployApp): ImagePath[] => kinds.map(({ kind, images }) => ({ kind, paths: images }));

/**
 * Returns what replaces each image in the manifests: the caller's reference, else the digest in the lock, else the one
 * that the registry has now.
 */
async function digestsFor(
  images: readonly string[],
  named: readonly [string, string][],
  lock: Lock,
): Promise<Map<string, string>> {
  const replacements = new Map(named);
  const isNamed = (image: string): boolean => unusedReplacementsOf(image, named).length < named.length;
  await Promise.all(
    images.map(async (image) => {
      if (hasDigest(image) || isNamed(image)) return;
      const known = lock.images[image] ?? (await resolveReference(image));
      if (known !== undefined && hasDigest(known)) replacements.set(image, withTag(image, known));
      else announce(`${image}: its registry has no digest to give; left as it is written`);
    }),
  );
  return replacements;
}

/** Returns the names in `named` that do not match this image. */
const unusedReplacementsOf = (image: string, named: readonly [string, string][]): string[] =>
  unusedReplacements(
    [imageOnly(image)],
    named.map(([name]) => name),
  );

const imageOnly = (image: string): Manifest => ({
  place: "",
  object: { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { containers: [{ image }] } },
});

/** Adds the digest and keeps the tag for readers: `nginx:1.27@sha256:…`. */
const withTag = (image: string, known: string): string => `${image}${known.slice(known.indexOf("@"))}`;

function refuseTags(
  apps: readonly { name: string; manifests: Manifest[]; kinds: ImagePath[] }[],
  environment: string,
): void {
  const loose = apps.flatMap(({ manifests, kinds }) => imagesOf(manifests, kinds)).filter((image) => !hasDigest(image));
  if (loose.length > 0)
    throw new Refused(
      `${environment} is production, and these images have no digest: ${loose.join(", ")}; pass digests with --image NAME=REFERENCE@sha256:…`,
    );
}

async function manifestsOf(
  config: Config,
  name: string,
  app: DeployApp,
  source: Directory,
  lock: Lock,
  environment: string,
): Promise<Manifest[]> {
  const here = (text: string): string => text.replaceAll("{env}", environment);
  const { manifests, kustomize, helm, custom } = app;
  if (custom !== undefined) return [];
  if (kustomize !== undefined) {
    const folder = here(kustomize);
    return parseManifests([
      { name: `${folder} (kustomize)`, text: await renderKustomization(config, source, lock, folder) },
    ]);
  }
  if (helm !== undefined) {
    const chart = {
      ...helm,
      chart: here(helm.chart),
      values: (helm.values ?? []).map(here),
      release: helm.release ?? name,
    };
    const namespace = config.deploy?.environments[environment]?.namespace;
    const text = await renderChart(config, source, lock, chart, namespace);
    return withoutHooks(parseManifests([{ name: `${chart.chart} (helm)`, text }]), helm.skipHooks ?? false);
  }
  const files = await Promise.all((manifests ?? []).map(here).map((pattern) => filesOf(source, pattern, name)));
  const distinct = [...new Set(files.flat())];
  return parseManifests(
    await Promise.all(distinct.map(async (file) => ({ name: file, text: await textOf(source, file, name) }))),
  );
}

/** Reads a file. Refuses a symlink that does not resolve within the project, which globs find but nothing can read. */
async function textOf(source: Directory, file: string, app: string): Promise<string> {
  try {
    return await source.file(file).contents();
  } catch (failure) {
    if (await source.exists(file)) throw failure;
    throw new Refused(
      `fastloop.yaml: \`manifests\` of \`${app}\`: ${file} is a symlink that does not resolve within the project`,
      { cause: failure },
    );
  }
}

/** Leaves out Helm hooks that do not belong to a deploy (tests, deletions), or all hooks (`skipHooks`). */
function withoutHooks(manifests: readonly Manifest[], isMeant: boolean): Manifest[] {
  return manifests.filter(({ object }) => {
    const hook = hookOf(object);
    return hook === undefined || (!isMeant && hook.moments.length > 0);
  });
}

/**
 * Returns the files of a path, a glob, or a folder (`deploy/`: its YAML and JSON files), sorted. Refuses an empty
 * result.
 */
async function filesOf(source: Directory, pattern: string, app: string): Promise<string[]> {
  const glob = pattern.endsWith("/") ? `${pattern}**/*` : pattern;
  const found = (await source.glob(glob)).filter((file) => !file.endsWith("/"));
  const files = found.filter((file) => !pattern.endsWith("/") || /\.(ya?ml|json)$/.test(file));
  if (files.length === 0) throw new Refused(`fastloop.yaml: \`manifests\` of \`${app}\`: no manifest at ${pattern}`);
  return files.toSorted();
}
