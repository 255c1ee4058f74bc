import { AskedGit } from "../../tree/index.ts";

/** What git knows about where a repository came from. */
export interface Origin {
  /** Default branch of the remote, else the current branch; undefined when unknown. */
  defaultBranch: string | undefined;
  /** Image repository that the forge offers for this repository: `ghcr.io/OWNER/NAME`. */
  imageRepository: string | undefined;
}

/** Asks git about the repository of a folder. Values are undefined outside of a repository. */
export function originOf(root: string): Origin {
  const asked = new AskedGit(root);
  const git = (...words: string[]): string | undefined => {
    try {
      return asked.ask(...words).trim();
    } catch {
      return undefined;
    }
  };
  const head = git("symbolic-ref", "--short", "refs/remotes/origin/HEAD")?.replace(/^origin\//, "");
  const address = git("config", "--get", "remote.origin.url");
  return {
    defaultBranch: plainBranch(head) ?? plainBranch(git("symbolic-ref", "--short", "HEAD")),
    imageRepository: address === undefined ? undefined : imageRepository(address),
  };
}

/** The name is inserted into YAML and expressions without quoting, so unusual names are dropped. */
const plainBranch = (name: string | undefined): string | undefined =>
  name !== undefined && /^[\w][\w./-]*$/.test(name) ? name : undefined;

const registries: Record<string, string> = { "github.com": "ghcr.io", "gitlab.com": "registry.gitlab.com" };

/**
 * Returns the image repository of `https://github.com/Acme/app.git` or `git@github.com:Acme/app.git`, in lower case as
 * registries require.
 */
export function imageRepository(address: string): string | undefined {
  const [, host = "", name = ""] =
    /^(?:[a-z+]+:\/\/)?(?:[^@/]+@)?([\w.-]+)(?::\d+\/|[:/])\/?(.+?)(?:\.git)?\/?$/.exec(address) ?? [];
  const registry = registries[host.toLowerCase()];
  return registry !== undefined && /^[\w.-]+(?:\/[\w.-]+)+$/.test(name)
    ? `${registry}/${name.toLowerCase()}`
    : undefined;
}
