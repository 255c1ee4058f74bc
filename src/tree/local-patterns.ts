import path from "node:path";
import { leadsOut } from "../paths/index.ts";

/**
 * Interprets patterns as a Dagger engine does: those that start with a slash or lead out of the folder are dropped, and
 * `.` means everything.
 */
export function localPatterns(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const [negation, body] = pattern.startsWith("!") ? ["!", pattern.slice(1)] : ["", pattern];
    const inside = path.posix.normalize(body);
    if (body === "" || inside.startsWith("/") || leadsOut(inside)) return [];
    return [negation + (inside === "." || inside === "./" ? "*" : inside)];
  });
}
