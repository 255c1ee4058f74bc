/** Returns the paths that no other one of them contains. */
export function topmost(paths: Iterable<string>): Set<string> {
  const all = new Set(paths);
  return new Set([...all].filter((path) => !hasOneAbove(all, path)));
}

function hasOneAbove(all: ReadonlySet<string>, path: string): boolean {
  if (path !== "/" && all.has("/")) return true;
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
    if (all.has(path.slice(0, end))) return true;
  return false;
}
