/**
 * Git settings that come neither from the user nor from the host, and name what git runs or reads when it compares
 * files.
 */

export interface Setting {
  /** Scope as `git config --show-scope` names it. */
  scope: string;
  /** Section and last part in lower case. */
  key: string;
  value: string;
}

/** Scopes of the user's or the host's settings. */
const ownScopes = new Set(["system", "global", "command"]);

/**
 * Returns replacements for foreign settings: the user's own value, else an empty one. Settings of several repositories
 * are treated as one set.
 */
export function settingsInstead(settings: readonly Setting[]): [key: string, value: string][] {
  const own = new Map<string, string>();
  const foreign = new Set<string>();
  for (const { scope, key, value } of settings) {
    if (ownScopes.has(scope)) own.set(key, value);
    else foreign.add(key);
  }
  // The user's Git LFS runs what the repository names there.
  const steersLfs = [...foreign].some((key) => /^lfs\.(extension|customtransfer)\./i.test(key));
  const lfs = new Set(
    [...own].flatMap(([key, value]) => {
      const name = /^(filter\..*)\.\w+$/s.exec(key)?.[1];
      return name !== undefined && (/^filter\.lfs$/i.test(name) || /\blfs\b/i.test(value)) ? [name] : [];
    }),
  );
  const isLfs = (key: string): boolean => lfs.has(key.slice(0, key.lastIndexOf(".")));
  const instead = new Map<string, string>();
  for (const key of foreign) {
    const nothing = nothingFor(key);
    if (nothing !== undefined) instead.set(key, own.get(key) ?? nothing);
  }
  if (steersLfs) for (const key of [...own.keys(), ...foreign]) if (isLfs(key)) instead.set(key, nothingFor(key) ?? "");
  return [...instead];
}

/** Returns the empty value of a setting; undefined for a setting that runs nothing and opens no file. */
function nothingFor(key: string): string | undefined {
  if (key.startsWith("filter.")) return key.endsWith(".required") ? "false" : "";
  return key === "core.attributesfile" || key === "core.excludesfile" ? "/dev/null" : undefined;
}
