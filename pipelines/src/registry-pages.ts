import { UserError } from "./user-error.ts";

/**
 * Returns the next page's path relative to `base`, from the `Link` header (RFC 8288) of the page at `url`; undefined
 * for the last page. Follows only links to the same registry's list of tags, because requests carry credentials. Throws
 * a `UserError` for any other link, and for one that can't be parsed.
 */
export function nextPage(link: string | null, url: string, base: string): string | undefined {
  if (link === null) return undefined;
  for (const [, target = "", parameters = ""] of link.matchAll(
    /<([^>]*)>((?:\s*;\s*[\w!#$&+.^|~*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+))*)/g,
  )) {
    if (!isNext(parameters)) continue;
    const next = URL.canParse(target, url) ? new URL(target, url) : undefined;
    const list = new URL(`${base}/tags/list`);
    // Schemes are not compared: behind a TLS proxy, a registry may link to itself with http.
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

/** Returns whether the parameters have the relation `next`. `rel` is a list of words in any case. */
function isNext(parameters: string): boolean {
  const [, quoted, bare] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? [];
  return (quoted ?? bare ?? "").toLowerCase().split(/\s+/).includes("next");
}
