/** `dagger.lock`: one line of JSON for each resolved item, such as `["", "git.ref", [URL, REF], {"sha": …}]`. */
import { parseGitSource, versionOf } from "../git/git-source.ts";

const lockName = "git.ref";

/** Returns the commit that the lock has for a source; undefined if it has none. Malformed lines are skipped. */
export function pinOf(source: string, lock: string): string | undefined {
  const git = parseGitSource(source);
  if (typeof git === "string") return undefined;
  const version = versionOf(source);
  const names = version === undefined ? ["HEAD"] : [version, `refs/tags/${version}`, `refs/heads/${version}`];
  const urls = [git.url, `${git.url}.git`];
  for (const line of lock.split("\n")) {
    const [, kind, asked, found] = parsed(line);
    if (kind !== lockName || !Array.isArray(asked) || !urls.includes(String(asked[0]))) continue;
    const { sha } = (found ?? {}) as { sha?: unknown };
    if (names.includes(String(asked[1])) && typeof sha === "string") return sha;
  }
  return undefined;
}

function parsed(line: string): unknown[] {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
