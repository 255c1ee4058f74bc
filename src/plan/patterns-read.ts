import path from "node:path";

/** The part of a pattern before its first segment with a wildcard, without slashes at its ends; "" where there is none. */
export function literalHead(pattern: string): string {
  const segments = cleaned(pattern).split("/");
  const wild = segments.findIndex((segment) => /[*?[\]\\]/.test(segment));
  return segments.slice(0, wild < 0 ? segments.length : wild).join("/");
}

/** As patterns are read: without `!`, relative to the root, without a slash at the end. */
export function cleaned(pattern: string): string {
  const clean = path.posix.normalize(pattern.trim().replace(/^!/, "")).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === "." ? "" : clean;
}
