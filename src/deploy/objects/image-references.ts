import { printable } from "../../text/index.ts";
import { groupKind } from "./objects.ts";
import type { KubeObject, Manifest } from "./objects.ts";
import { refuse } from "./problem.ts";

/** Where a kind of its own (a CRD's) holds images, e.g. `spec.runner.image`, `spec.steps[*].image`. */
export interface ImagePath {
  /** `Rollout`, or `Rollout.argoproj.io` to mean one group's. */
  kind: string;
  paths: string[];
}

/** One place that names an image, to be read and written. */
interface Slot {
  get: () => unknown;
  set: (image: string) => void;
}

type Holder = Record<string | number, unknown>;
const containerLists = ["containers", "initContainers", "ephemeralContainers"];
const digest = /@sha256:[0-9a-f]{64}$/;

/** Whether the name of an image says exactly which one it is. */
export const hasDigest = (image: string): boolean => digest.test(image);

/** All names of images in pod specs, at any depth, and at the declared places of other kinds; each once, sorted. */
export function imagesOf(manifests: readonly Manifest[], kinds: readonly ImagePath[] = []): string[] {
  const names = manifests.flatMap(({ object }) => slotsOf(object, kinds).map(({ get }) => get()));
  return [...new Set(names.filter((name): name is string => typeof name === "string" && name !== ""))].toSorted();
}

/**
 * The manifests with images replaced: by the name as it is written, or by its repository whatever tag is written. What is
 * not in `replacements` stays.
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

/** Reads `NAME=REFERENCE@sha256:…`, as `--image` takes it; refuses what names no digest. */
export function parseReplacement(text: string): [name: string, reference: string] {
  const split = text.indexOf("=");
  const [name, reference] = [text.slice(0, split), text.slice(split + 1)];
  if (split <= 0 || !hasDigest(reference) || /[\s\p{C}]/u.test(text)) {
    throw refuse(`--image ${printable(text)}: write NAME=REPOSITORY@sha256:DIGEST, NAME as the manifests have it`);
  }
  return [name, reference];
}

/** Those replacements that no manifest has an image for: a name with a typing mistake, most likely. */
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

/** `nginx` -> `docker.io/library/nginx`, as registries know it: one image has one name. */
function fullName(image: string): string {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  if (first.includes(".") || first.includes(":") || first === "localhost") return image;
  return `docker.io/${slash < 0 ? "library/" : ""}${image}`;
}

/** The name without tag and digest; a port is no tag. */
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

/** Whatever has a list of containers is a pod's spec, in Kubernetes' own kinds and in others'. */
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

/** `spec.steps[*].image` -> its keys; `["a.b"]` is a key with dots in it. Refuses what is no such path. */
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
