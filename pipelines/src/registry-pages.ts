import { UserError } from "./user-error.ts";

/**
 * The path of the next page below `base`, out of a `Link` header (RFC 8288) of the page at `url`; undefined after the last.
 * Only the same list of the same registry is followed: requests carry credentials, and a page of anything else is none.
 */
export function nextPage(link: string | null, url: string, base: string): string | undefined {
  if (link === null) return undefined;
  for (const [, target = "", parameters = ""] of link.matchAll(
    /<([^>]*)>((?:\s*;\s*[\w!#$&+.^|~*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+))*)/g,
  )) {
    if (!isNext(parameters)) continue;
    const next = URL.canParse(target, url) ? new URL(target, url) : undefined;
    const list = new URL(`${base}/tags/list`);
    // A proxy may speak TLS for the registry: that the registry says http of itself is no other place.
    if (next?.host !== list.host || next.pathname !== list.pathname || next.username !== "") {
      throw new UserError(
        `${url}: for the next page the registry names another place than its list of tags: ${JSON.stringify(target.slice(0, 200))}`,
      );
    }
    return `tags/list${next.search}`;
  }
  if (/\brel\s*\*?=\s*"?[^",;]*\bnext\b/i.test(link))
    throw new UserError(
      `${url}: the registry's link to the next page can't be read: ${JSON.stringify(link.slice(0, 200))}`,
    );
  return undefined;
}

/** A relation may be one of several words, in any case. */
function isNext(parameters: string): boolean {
  const [, quoted, bare] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? [];
  return (quoted ?? bare ?? "").toLowerCase().split(/\s+/).includes("next");
}
