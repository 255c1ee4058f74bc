/** Restricts where function bodies may fetch repositories from, and with whose credentials. */
import { ApiError } from "../values/errors.ts";
import { addressesOf } from "../network/addresses.ts";

/**
 * Throws an `ApiError` when a repository is on this machine, as far as its URL and DNS show now, or when fetching it
 * would use the user's keys. What HTTP redirects to later is checked by git's proxy (`git/proxy.ts`).
 */
export async function requireReachableGit(url: string): Promise<void> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "git") throw new ApiError(`${url}: git:// is not served to function bodies; use https://`);
  if (scheme === "ssh" || (scheme === undefined && /^(?:[^/@]+@)?[^/:]+:(?!:)/.test(url))) {
    throw new ApiError(
      `${url}: ssh would use your keys, which function bodies do not have; use https:// with httpAuthToken, or take a Directory as an argument`,
    );
  }
  if (scheme !== "http" && scheme !== "https") return; // Not an address of another machine; git itself refuses it.
  const host = URL.parse(url)?.hostname;
  if (host === undefined) throw new ApiError(`invalid git URL ${JSON.stringify(url)}`);
  await addressesOf(host, true).catch((error: unknown) => {
    // A name that this machine cannot resolve may be known to the user's proxy.
    if (error instanceof ApiError) throw error;
  });
}
