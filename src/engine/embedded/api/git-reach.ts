/** Where function bodies may fetch repositories from. */
import { ApiError } from "./errors.ts";
import { addressesOf } from "./reach-addresses.ts";

/**
 * Throws where a repository is on this machine, as far as its URL and the name server tell now. What HTTP leads to later is
 * checked by the proxy that git is given (`git-proxy.ts`); `git://` goes through none.
 */
export async function requireReachableGit(url: string): Promise<void> {
  const host = hostOf(url);
  if (/^git:\/\//i.test(url)) throw new ApiError(`${url}: git:// is not served to function bodies; use https://`);
  // Whatever is no address of another machine, git itself refuses.
  if (host !== undefined) await addressesOf(host, true).catch((error: unknown) => {
    if (error instanceof ApiError) throw error;
  });
}

/** Of `https://host/…`, `ssh://git@host:22/…` and `git@host:path`. */
function hostOf(url: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return URL.parse(url.replace(/^[a-z][a-z0-9+.-]*:/i, (scheme) => (/^https?:/i.test(scheme) ? scheme : "http:")))?.hostname;
  return /^(?:[^/@]+@)?([^/:]+):/.exec(url)?.[1];
}
