/** Dependencies in git repositories, and their checkouts on this disk. */
import path from "node:path";
import { isReallyInside, realPath } from "../paths/index.ts";
import { UserError } from "../errors/index.ts";
import { isRemote, readManifest, type ManifestDependency } from "./manifest/manifest.ts";
import { checkoutOf, fetchCommit, type PinnedSource } from "./git/git-checkout.ts";
import { parseGitSource } from "./git/git-source.ts";

/** A module about to be fetched. */
export interface ModuleToFetch {
  name: string;
  url: string;
  commit: string;
  /** Finds where the module is named, as `file:line:column`; reads the whole manifest, which may name thousands. */
  place(): Promise<string>;
}

/** Asks whether the user allows the fetch. */
export type MayFetch = (module: ModuleToFetch) => Promise<boolean>;

/** Returns the module's folder, or the reason why there is none. Throws a `UserError` for an invalid address. */
export async function folderOfRemote(
  { name, source, pin, place }: ManifestDependency,
  env: NodeJS.ProcessEnv,
  mayFetch: MayFetch | undefined,
): Promise<{ folder: string } | { refused: string }> {
  const git = parseGitSource(source, pin);
  if (typeof git === "string")
    throw new UserError("module", `${name} has an unsupported address: ${git}`, {
      place: await place(),
    });
  const { url, commit } = git;
  if (commit === undefined)
    return {
      refused: `${source} can lead to another commit later: give it a "pin" (the commit in full), as \`dagger install\` does`,
    };
  const pinned: PinnedSource = { ...git, commit };
  let checkout = checkoutOf(pinned, env);
  if (checkout === undefined) {
    const isAllowed = await mayFetch?.({ name, url, commit, place });
    if (isAllowed !== true)
      return {
        refused: `${url} at ${commit} is not fetched: \`fastloop functions\` asks and does, --trust without asking`,
      };
    try {
      checkout = await fetchCommit(pinned, env);
    } catch (error) {
      return { refused: `${url} at ${commit} can't be fetched: ${(error as Error).message}` };
    }
  }
  const folder = path.join(checkout, git.folder);
  if (!isReallyInside(checkout, folder))
    throw new UserError("module", `${name} leads out of its repository: ${git.folder} is a link`, {
      place: await place(),
    });
  return { folder };
}

/**
 * Reports whether any direct or indirect dependency has a commit that is not fetched. Errors are left to the loader.
 */
export async function hasUnfetched(dir: string, env: NodeJS.ProcessEnv, seen = new Set<string>()): Promise<boolean> {
  // Each folder is visited once: two links in a folder that lead back to it would give a number of paths limited only
  // by their length.
  const real = realPath(dir);
  if (seen.has(real)) return false;
  seen.add(real);
  const manifest = await readManifest(dir).catch(() => undefined);
  for (const { source, pin } of [...(manifest?.dependencies ?? []), ...[manifest?.blueprint ?? []].flat()]) {
    const git = isRemote(source) ? parseGitSource(source, pin) : undefined;
    if (typeof git === "string" || (git !== undefined && git.commit === undefined)) continue;
    const checkout = git === undefined ? dir : checkoutOf(git as PinnedSource, env);
    if (checkout === undefined) return true;
    if (await hasUnfetched(path.resolve(checkout, git?.folder ?? source), env, seen)) return true;
  }
  return false;
}
