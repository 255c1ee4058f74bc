import { AskedGit } from "../../tree/index.ts";

/** What git knows of where a repository came from. */
export interface Origin {
  /** The branch that its forge shows first. */
  defaultBranch: string | undefined;
  /** Where its forge keeps images of this repository: `ghcr.io/OWNER/NAME`. */
  imageRepository: string | undefined;
}

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

/** It is written into YAML and expressions as it is. */
const plainBranch = (name: string | undefined): string | undefined =>
  name !== undefined && /^[\w][\w./-]*$/.test(name) ? name : undefined;

const registries: Record<string, string> = { "github.com": "ghcr.io", "gitlab.com": "registry.gitlab.com" };

/** Of `https://github.com/Acme/app.git` and `git@github.com:Acme/app.git` alike; registries know small letters only. */
export function imageRepository(address: string): string | undefined {
  const [, host = "", name = ""] =
    /^(?:[a-z+]+:\/\/)?(?:[^@/]+@)?([\w.-]+)(?::\d+\/|[:/])\/?(.+?)(?:\.git)?\/?$/.exec(address) ?? [];
  const registry = registries[host.toLowerCase()];
  return registry !== undefined && /^[\w.-]+(?:\/[\w.-]+)+$/.test(name)
    ? `${registry}/${name.toLowerCase()}`
    : undefined;
}
