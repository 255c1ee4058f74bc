import type { BaseImageConfig } from "../vendor/config.mjs";
import { UserError } from "./user-error.ts";

/** A tag to publish. A moving one names a different image after the next release, so it moves last. */
export interface Tag {
  name: string;
  moving: boolean;
}

export const defaultTags = ["base-{version}", "base-latest"];

/**
 * Fills `{version}`, `{toolchain}`, `{toolchainVersion}` (the first tool), `{YYYY.MM.DD}`, `{YYYY-MM-DD}` (UTC) and `{key}`.
 * A template without any of them is a moving tag. The key's own tag always comes first: by it a published key is known.
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
      if (value === undefined)
        throw new UserError(`tag \`${template}\`: there is no value for {${name}} in images.base`);
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

/** The tags that name the present base of a description: that of its key, and those that move with each release. */
export const presentTags = ({ tags = defaultTags }: BaseImageConfig, key: string): string[] => [
  keyTag(key),
  ...tags.filter((template) => !template.includes("{")),
];

export const keyTag = (key: string): string => `key-${key}`;
