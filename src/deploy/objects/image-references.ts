import { printable } from "../../text/index.ts";
import { groupKind } from "./objects.ts";
import type { KubeObject, Manifest } from "./objects.ts";
import { refuse } from "./problem.ts";

/** Image fields of a custom kind, e.g. `spec.runner.image`, `spec.steps[*].image`. */
export interface ImagePath {
  /** `Rollout`, or `Rollout.argoproj.io` for one group's. */
  kind: string;
  paths: string[];
}

/** A field that names an image. */
interface Slot {
  get: () => unknown;
  set: (image: string) => void;
}

type Holder = Record<string | number, unknown>;
const containerLists = ["containers", "initContainers", "ephemeralContainers"];
const digest = /@sha256:[0-9a-f]{64}$/;

/** Reports whether an image's name ends with a digest. */
export const hasDigest = (image: string): boolean => digest.test(image);

/**
 * Returns the image names in pod specs, at any depth, and in the declared fields of custom kinds; distinct and sorted.
 */
export function imagesOf(manifests: readonly Manifest[], kinds: readonly ImagePath[] = []): string[] {
  const names = manifests.flatMap(({ object }) => slotsOf(object, kinds).map(({ get }) => get()));
  return [...new Set(names.filter((name): name is string => typeof name === "string" && name !== ""))].toSorted();
}

/**
 * Returns the manifests with images replaced. A replacement matches the name as written, or the repository with any
 * tag. Other images stay.
 */
export function replaceImages(
  manifests: readonly Manifest[],
  replacements: ReadonlyMap<string, string>,
  kinds: readonly ImagePath[] = [],
): Manifest[] {
  const byName = new Map([...replacements].map(([name, image]) => [fullName(name), image]));
  return manifests.map(({ object, place }) => {
    const copy = structuredClone(object);
    for (const { get, set } of slotsOf(copy, kinds)) {
      const image = get();
      const found = typeof image === "string" ? replacementFor(image, replacements, byName) : undefined;
      if (found !== undefined) set(found);
    }
    return { object: copy, place };
  });
}

function replacementFor(
  image: string,
  exact: ReadonlyMap<string, string>,
  byName: ReadonlyMap<string, string>,
): string | undefined {
  return exact.get(image) ?? byName.get(fullName(image)) ?? byName.get(repositoryOf(fullName(image)));
}

/**
 * Parses `NAME=REFERENCE@sha256:…` of `--image`. Throws a refusal for anything else, such as a reference without
 * digest.
 */
export function parseReplacement(text: string): [name: string, reference: string] {
  const split = text.indexOf("=");
  const [name, reference] = [text.slice(0, split), text.slice(split + 1)];
  if (split <= 0 || !hasDigest(reference) || /[\s\p{C}]/u.test(text)) {
    throw refuse(`--image ${printable(text)}: write NAME=REPOSITORY@sha256:DIGEST, NAME as the manifests have it`);
  }
  return [name, reference];
}

/** Returns the replacements that match no image of the manifests; most likely their names are mistyped. */
export function unusedReplacements(
  manifests: readonly Manifest[],
  names: readonly string[],
  kinds: readonly ImagePath[] = [],
): string[] {
  const written = imagesOf(manifests, kinds).flatMap((image) => [
    image,
    fullName(image),
    repositoryOf(fullName(image)),
  ]);
  return names.filter((name) => !written.includes(name) && !written.includes(fullName(name)));
}

/**
 * Returns the full name, as registries know it, so that an image has only one: `nginx` -> `docker.io/library/nginx`.
 */
function fullName(image: string): string {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  if (first.includes(".") || first.includes(":") || first === "localhost") return image;
  return `docker.io/${slash < 0 ? "library/" : ""}${image}`;
}

/** Returns an image's name without tag and digest; a registry's port is kept. */
export const repositoryOf = (image: string): string => image.split("@", 1)[0]!.replace(/:[^/:]*$/, "");

function slotsOf(object: KubeObject, kinds: readonly ImagePath[]): Slot[] {
  const slots: Slot[] = [];
  podSpecs(object, slots);
  for (const { kind, paths } of kinds) {
    if (kind !== object.kind && kind !== groupKind(object)) continue;
    for (const path of paths) slots.push(...atPath(object, parsePath(path)));
  }
  return slots;
}

/** Any object with a list of containers is treated as a pod spec, in custom kinds too. */
function podSpecs(value: unknown, slots: Slot[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (containerLists.includes(key) && Array.isArray(child)) {
      for (const container of child)
        if (isHolder(container) && "image" in container) slots.push(slot(container, "image"));
    }
    podSpecs(child, slots);
  }
}

/**
 * Splits a path into keys: `spec.steps[*].image`; `["a.b"]` is a key with dots in it. Throws a refusal for an invalid
 * path.
 */
export function parsePath(path: string): (string | number)[] {
  const keys: (string | number)[] = [];
  let rest = path.replace(/^\$?\.?/, "");
  while (rest !== "") {
    const found = /^(?:\.?([A-Za-z_][\w-]*)|\[(\d+|\*)\]|\["([^"]+)"\])/.exec(rest);
    if (found === null) throw refuse(`\`${printable(path)}\` is no path to an image; write it as spec.steps[*].image`);
    keys.push(found[1] ?? found[3] ?? (found[2] === "*" ? "*" : Number(found[2])));
    rest = rest.slice(found[0].length);
  }
  if (keys.length === 0) throw refuse("an empty path to an image; write it as spec.steps[*].image");
  return keys;
}

function atPath(root: unknown, keys: readonly (string | number)[]): Slot[] {
  const [key, ...others] = keys;
  if (key === undefined || !isHolder(root)) return [];
  const found = key === "*" ? Object.keys(root) : Object.hasOwn(root, key) ? [key] : [];
  if (others.length > 0) return found.flatMap((name) => atPath(root[name], others));
  return found.map((name) => slot(root, name));
}

const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null;

const slot = (holder: Holder, key: string | number): Slot => ({
  get: () => holder[key],
  set: (image) => {
    holder[key] = image;
  },
});
