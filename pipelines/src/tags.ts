import type { BaseImageConfig } from "../vendor/config.mjs";
import { UserError } from "./user-error.ts";

/** A tag to publish. A floating tag (`moving`) is moved by each release, and published last. */
export interface Tag {
  name: string;
  moving: boolean;
}

export const defaultTags = ["base-{version}", "base-latest"];

/**
 * Expands tag templates: `{version}`, `{toolchain}` and `{toolchainVersion}` (the first tool), `{YYYY.MM.DD}`,
 * `{YYYY-MM-DD}` (UTC), `{key}`. A template without a variable is a floating tag. Returns the key's tag first, by which
 * a published key is found, and floating tags last. Throws a `UserError` for a variable without a value.
 */
export function expandTags(base: BaseImageConfig, templates: readonly string[], key: string, date: Date): Tag[] {
  const [year, month, day] = date.toISOString().slice(0, 10).split("-");
  const toolchain = base.tools?.[0];
  const values: Record<string, string | undefined> = {
    version: base.version,
    toolchain: toolchain?.name,
    toolchainVersion: toolchain?.version,
    "YYYY.MM.DD": `${year}.${month}.${day}`,
    "YYYY-MM-DD": `${year}-${month}-${day}`,
    key,
  };
  const fill = (template: string): string =>
    template.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new UserError(`tag \`${template}\`: \`images.base\` has no value for {${name}}`);
      return value;
    });
  const tags = templates
    .filter((template) => template !== "base-{version}" || base.version !== undefined || templates !== defaultTags)
    .map((template) => ({ name: fill(template), moving: !template.includes("{") }));
  return [
    { name: keyTag(key), moving: false },
    ...tags.filter((tag) => !tag.moving),
    ...tags.filter((tag) => tag.moving),
  ];
}

/** Returns the tags of a description's current image: its key's tag and the floating tags. */
export const presentTags = ({ tags = defaultTags }: BaseImageConfig, key: string): string[] => [
  keyTag(key),
  ...tags.filter((template) => !template.includes("{")),
];

/** Returns the tag of a content key. */
export const keyTag = (key: string): string => `key-${key}`;
