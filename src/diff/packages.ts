/** Compares two images by packages and versions, from bills of materials as `sbom` writes them. */
import { UserError } from "../errors/index.ts";
import { readRegular } from "../paths/index.ts";

export interface PackageDiff {
  added: { name: string; version: string }[];
  removed: { name: string; version: string }[];
  changed: { name: string; before: string; now: string }[];
}

const largestBytes = 64 * 1024 * 1024;

/**
 * Returns packages and their versions. The type (deb, npm, ...) is part of the name if the file states it. Throws when
 * the file is not a bill of materials.
 */
export function packagesOf(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, version } of componentsOf(file)) {
    const versions = found.get(name);
    if (versions === undefined) found.set(name, [version]);
    else versions.push(version);
  }
  for (const versions of found.values()) versions.sort();
  return found;
}

/** Compares packages by name and versions; the lists are sorted by name. */
export function diffPackages(
  before: ReadonlyMap<string, readonly string[]>,
  now: ReadonlyMap<string, readonly string[]>,
): PackageDiff {
  const text = (versions: readonly string[]): string => versions.join(", ");
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  const diff: PackageDiff = { added: [], removed: [], changed: [] };
  for (const name of names) {
    const [was, is] = [before.get(name), now.get(name)];
    if (was === undefined) diff.added.push({ name, version: text(is ?? []) });
    else if (is === undefined) diff.removed.push({ name, version: text(was) });
    else if (text(was) !== text(is)) diff.changed.push({ name, before: text(was), now: text(is) });
  }
  return diff;
}

function componentsOf(file: string): { name: string; version: string }[] {
  const refuse = (why: string): UserError =>
    new UserError("usage", `is not a bill of materials: ${why}`, {
      place: file,
      hint: "SPDX or CycloneDX as JSON, as `fastloop call sbom export --path FILE` writes it",
    });
  let text: Buffer;
  try {
    text = readRegular(file, { maxBytes: largestBytes });
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause));
  }
  let value: unknown;
  try {
    value = JSON.parse(text.toString("utf8"));
  } catch {
    throw refuse("it is not JSON");
  }
  const { packages, components } = (value ?? {}) as { packages?: unknown; components?: unknown };
  const list = Array.isArray(packages) ? packages : Array.isArray(components) ? components : undefined;
  if (list === undefined) throw refuse("it has neither packages nor components");
  return list.flatMap((entry: unknown) => {
    const { name, version, versionInfo, purl, externalRefs } = (entry ?? {}) as Record<string, unknown>;
    const shown = version ?? versionInfo;
    if (typeof name !== "string" || typeof shown !== "string") return [];
    const type =
      typeOf(purl) ?? (Array.isArray(externalRefs) ? externalRefs.map(locatorType).find(Boolean) : undefined);
    return [{ name: type === undefined ? name : `${type}/${name}`, version: shown }];
  });
}

const typeOf = (purl: unknown): string | undefined =>
  typeof purl === "string" ? /^pkg:([a-z.+-]+)\//.exec(purl)?.[1] : undefined;

const locatorType = (reference: unknown): string | undefined =>
  typeOf(((reference ?? {}) as { referenceLocator?: unknown }).referenceLocator);
