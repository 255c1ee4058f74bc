/** What a compose file says of the project's files in its containers: bind mounts and `develop.watch`. */
import path from "node:path";

/** As `up.NAME` of fastloop.yaml has them. */
export interface ComposeRules {
  sync?: { from: string; to: string; exclude?: string[] }[];
  restart?: string[];
  rebuild?: string[];
}

export interface BindMount {
  service?: { root?: string; workdir?: string; sources?: string[] };
  rules?: ComposeRules;
  note?: string;
}

/**
 * A folder of the project that is mounted at `target`. On an image that was built of the project an edit is written over what the
 * build has put there; on any other image the folder is copied in, and kept in step.
 */
export function bindMount(folder: string, target: string, service: Record<string, unknown>): BindMount {
  const isFile = /\.[A-Za-z0-9]+$/.test(path.posix.basename(folder)) && folder !== ".";
  if (service["build"] !== undefined)
    return { rules: { sync: [{ from: isFile || folder === "." ? folder : `${folder}/`, to: target }] } };
  const own = isFile ? folder : folder === "." ? "./" : `${folder}/`;
  const workdir = service["workdir"];
  // Where the names agree, several mounts are one copy of the project.
  const ends = folder === "." ? "" : `/${folder}`;
  if (target.endsWith(ends) && target !== ends) {
    const root = target.slice(0, target.length - ends.length).replace(/\/$/, "") || "/";
    const sources = (service["sources"] ?? []) as string[];
    if (service["root"] === undefined && (sources.length === 0 || workdir === root))
      return { service: { workdir: root, sources: [...sources, own] } };
  }
  if (isFile || service["sources"] !== undefined)
    return { note: `${folder} is not mounted at ${target}: name it in \`sources\`, which lie below \`workdir\`` };
  return { service: { root: folder, workdir: target, sources: ["./"] } };
}

/** `develop.watch`. */
export function developRules(develop: Record<string, unknown>, folder: string): ComposeRules {
  const rules: Required<ComposeRules> = { sync: [], restart: [], rebuild: [] };
  const entries = Array.isArray(develop["watch"]) ? (develop["watch"] as Record<string, unknown>[]) : [];
  for (const { action, path: given, target, ignore } of entries) {
    const from = path.posix.normalize(path.posix.join(folder, String(given))).replace(/\/$/, "");
    const isFile = /\.[A-Za-z0-9]+$/.test(path.posix.basename(from)) && from !== ".";
    const place = isFile || from === "." ? from : `${from}/`;
    if (action === "rebuild") rules.rebuild.push(place);
    if (typeof target === "string" && String(action).startsWith("sync"))
      rules.sync.push({ from: place, to: target, ...(Array.isArray(ignore) ? { exclude: ignore.map(String) } : {}) });
    if (String(action).includes("restart")) rules.restart.push(place);
  }
  return Object.fromEntries(Object.entries(rules).filter(([, each]) => each.length > 0)) as ComposeRules;
}
