/** The folders that no other one of the set contains. */
export function topmost(folders: ReadonlySet<string>): Set<string> {
  const result = new Set<string>();
  for (const folder of folders) {
    let above = folder.lastIndexOf("/");
    while (above > 0 && !folders.has(folder.slice(0, above))) above = folder.lastIndexOf("/", above - 1);
    if (above <= 0) result.add(folder);
  }
  return result;
}
