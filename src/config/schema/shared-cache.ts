import { UserError } from "../../errors/index.ts";
import type { Config } from "../types.ts";

/** A cache shared between machines that BuildKit reads or writes; the parsed form of BuildKit's own notation. */
export interface CacheLocation {
  type: "registry";
  /** `ref`, `registry.insecure`, … as BuildKit names them. */
  attrs: Record<string, string>;
}

const booleans = ["registry.insecure", "image-manifest", "oci-mediatypes", "force-compression"];
const known = ["type", "ref", "mode", "compression", "compression-level", ...booleans];
const notation = "type=registry,ref=HOST/NAME:TAG, or HOST/NAME:TAG alone";

/**
 * Parses `registry.example/app:cache` or `type=registry,ref=registry.example/app:cache,mode=max`. Throws an `Error`
 * that says what is wrong.
 */
export function parseCacheLocation(text: string): CacheLocation {
  if (!text.includes("=")) return { type: "registry", attrs: { ref: checkedReference(text) } };
  const attrs: Record<string, string> = {};
  for (const part of text.split(",")) {
    const [name = "", ...rest] = part.split("=");
    const value = rest.join("=").trim();
    if (!known.includes(name.trim())) throw new Error(`unknown option \`${name.trim()}\` of a cache; ${notation}`);
    if (booleans.includes(name.trim()) && !/^(true|false)$/.test(value))
      throw new Error(`\`${name.trim()}\` is true or false`);
    attrs[name.trim()] = value;
  }
  const { type, ref, ...others } = attrs;
  if (type !== "registry") throw new Error(`a shared cache is in a registry: ${notation}`);
  if (others["mode"] !== undefined && !/^(min|max)$/.test(others["mode"])) throw new Error("`mode` is min or max");
  return { type, attrs: { ref: checkedReference(ref ?? ""), ...others } };
}

function checkedReference(text: string): string {
  if (/^[a-z0-9._-]+(:\d+)?(\/[a-z0-9._-]+)+(:[\w.-]+)?$/i.test(text)) return text;
  throw new Error(`\`${text}\` is no image reference with a host; ${notation}`);
}

/** Converts `cache` of a configuration for a session; undefined if it has none. */
export function sharedCacheOf({ cache }: Config): { from: CacheLocation[]; to: CacheLocation[] } | undefined {
  const { from = [], to = [] } = cache ?? {};
  if (from.length === 0 && to.length === 0) return undefined;
  return { from: from.map(parseCacheLocation), to: to.map(parseCacheLocation) };
}

/**
 * Reads `FASTLOOP_CACHE_FROM` and `FASTLOOP_CACHE_TO`, lists separated by spaces. Each replaces its list in the
 * configuration, and needs no trust, as the user has set it. An empty value means no cache. Throws a `UserError` for an
 * invalid one.
 */
export function cacheOfEnvironment(env: NodeJS.ProcessEnv): { from?: CacheLocation[]; to?: CacheLocation[] } {
  const read = (name: string): CacheLocation[] | undefined =>
    env[name]
      ?.split(/\s+/)
      .filter((word) => word !== "")
      .map((word) => {
        try {
          return parseCacheLocation(word);
        } catch (cause) {
          throw new UserError("usage", (cause as Error).message, { place: name, cause });
        }
      });
  const from = read("FASTLOOP_CACHE_FROM");
  const to = read("FASTLOOP_CACHE_TO");
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
