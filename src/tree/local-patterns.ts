import path from "node:path";

/** As a Dagger engine reads patterns: those that begin with a slash or lead out of the folder are passed over, `.` is all of it. */
export function localPatterns(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const [negation, body] = pattern.startsWith("!") ? ["!", pattern.slice(1)] : ["", pattern];
    const inside = path.posix.normalize(body);
    if (body === "" || inside.startsWith("/") || inside === ".." || inside.startsWith("../")) return [];
    return [negation + (inside === "." || inside === "./" ? "*" : inside)];
  });
}
