import path from "node:path";
import { literalPattern } from "../tree/index.ts";

/** The part of a pattern before its first segment with a wildcard, as a path without slashes at its ends; "" where there is none. */
export function literalHead(pattern: string): string {
  const { head } = readPattern(pattern);
  return head.join("/");
}

/** The one path that a pattern means: it has no wildcard, what is escaped is itself; undefined where there is one. */
export function literalPath(pattern: string): string | undefined {
  const { head, rest } = readPattern(pattern);
  return rest.length === 0 ? head.join("/") : undefined;
}

/** What a pattern says below the first `count` segments of its literal head: a pattern again, with its slash in front. */
export function below(pattern: string, count: number): string {
  const { head, rest } = readPattern(pattern);
  return [...head.slice(count).map(literalPattern), ...rest].map((segment) => `/${segment}`).join("");
}

function readPattern(pattern: string): { head: string[]; rest: string[] } {
  const segments = cleaned(pattern).split("/");
  const wild = segments.findIndex((segment) => /[*?[\]]|\\$/.test(segment.replaceAll(/\\./gs, "")));
  const count = wild < 0 ? segments.length : wild;
  return {
    head: segments.slice(0, count).map((segment) => segment.replaceAll(/\\(.)/gs, "$1")),
    rest: segments.slice(count),
  };
}

/** As patterns are read: without `!`, relative to the root, without a slash at the end. */
export function cleaned(pattern: string): string {
  const clean = path.posix.normalize(pattern.trim().replace(/^!/, "")).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === "." ? "" : clean;
}
