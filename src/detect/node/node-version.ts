import { satisfies, coerce, validRange } from "semver";
import { joined } from "../files.ts";
import type { ProjectFiles } from "../types.ts";

/** Major versions of Node with images; the first one is the default. */
const majors = [22, 24, 20, 18, 25, 23, 16];
/** Oldest version with an image based on current Debian. */
const oldestWithImage = 16;
/** Oldest version that runs the npm of fastloop's own images. */
const oldestWithNpm = 18;

export interface WantedNode {
  /** Content of `.nvmrc` and the like; empty if nothing pins a version. */
  pinned: string;
  /** Value of `engines.node`. */
  engines: string;
  /** Newest version that the repository's own CI tests with. */
  newestInCi?: number;
}

export interface NodeChoice {
  /** Major version of the image; undefined for any. */
  major: number | undefined;
  /** Major version that the tests run with. */
  runs: number | undefined;
  /** Commands that install another Node in that image. */
  prepare: string[];
}

/** Chooses the Node of a repository. `available` holds the major versions of a host that cannot get other images. */
export function chooseNode(wanted: WantedNode, available: readonly number[] = []): NodeChoice {
  const major = exactMajor(wanted) ?? firstAllowed(wanted.engines, available);
  const ofImage = (taken: number | undefined): NodeChoice => ({ major: taken, runs: taken, prepare: [] });
  if (major === undefined || available.length === 0 || available.includes(major)) return ofImage(major);
  // npm's registry has Node as a package.
  const runs = Math.max(major, oldestWithNpm);
  return runs === major || allows(wanted.engines, runs)
    ? { major: available[0], runs, prepare: [nodeFromNpm(runs)] }
    : ofImage(firstAllowed(wanted.engines, available));
}

/** Old versions have images based on the Debian of their time. */
export const nodeImage = (major: number): string =>
  `node:${major}-${major >= oldestWithImage ? "bookworm" : major >= 12 ? "bullseye" : "buster"}-slim`;

/** Returns a note if no requested Node is available. */
export function unmetNode(wanted: WantedNode, available: readonly number[] = []): string | undefined {
  const { runs } = chooseNode(wanted, available);
  const taken = `Node ${runs ?? available[0] ?? majors[0]!} is taken; \`image\` of the suite names another`;
  const pinned = /^v?(\d+)/.exec(wanted.pinned.trim())?.[1];
  if (pinned !== undefined && Number(pinned) !== runs)
    return `Node ${pinned} is pinned, and there is no image of it here: ${taken}`;
  return runs === undefined ? `no Node that there is an image of satisfies \`${wanted.engines}\`: ${taken}` : undefined;
}

/**
 * Returns the major version that the repository pins, or the one nearest to the newest in its CI if that is older than
 * the default.
 */
function exactMajor({ pinned, engines, newestInCi }: WantedNode): number | undefined {
  const named = /^v?(\d+)/.exec(pinned.trim())?.[1];
  if (named !== undefined) return Number(named);
  if (newestInCi === undefined || newestInCi >= majors[0]!) return undefined;
  const nearest = Math.max(newestInCi, oldestWithImage);
  return allows(engines, nearest) ? nearest : undefined;
}

function firstAllowed(engines: string, available: readonly number[]): number | undefined {
  return [...available, ...majors].find((major) => allows(engines, major));
}

function allows(engines: string, major: number): boolean {
  const range = validRange(engines) === null ? "*" : engines;
  return satisfies(`${major}.99.99`, range) || satisfies(`${major}.0.0`, range);
}

/**
 * Moves Node instead of linking it: npm locates the folder of global packages, which is on the PATH, by Node's real
 * path.
 */
const nodeFromNpm = (major: number): string =>
  `npm install --global --prefix /opt/node "node-linux-$(node -p process.arch)@${major}" && mv -f /opt/node/lib/node_modules/node-linux-*/bin/node /usr/local/bin/node`;

export function pinnedNode(files: ProjectFiles, folder: string, manifest: Record<string, unknown>): string {
  const volta = (manifest["volta"] as Record<string, unknown> | undefined)?.["node"];
  return (
    files.read(joined(folder, ".nvmrc")) ||
    files.read(joined(folder, ".node-version")) ||
    (typeof volta === "string" ? volta : "") ||
    (/^nodejs?\s+(\S+)/m.exec(files.read(joined(folder, ".tool-versions")))?.[1] ?? "")
  );
}

/** Returns the newest major version of Node in workflows: `node-version: 20`, or a list in a matrix. */
export function newestNodeIn(workflows: readonly string[]): number | undefined {
  const lists = workflows.flatMap((text) => [
    ...text.matchAll(
      /\bnode(?:[-_]?(?:js|version)s?)?:[ \t]*(\[[^\]]{0,500}\]|["']?\d[\w.]*|(?:\r?\n[ \t]*-[ \t]*["']?\d[\w."']*[ \t]*)+)/gi,
    ),
  ]);
  const found = lists.flatMap(([, list = ""]) =>
    [...list.matchAll(/(?<![\w.])(\d{1,2})(?![\w-])/g)].map(([, major]) => Number(major)),
  );
  return found.length === 0 ? undefined : Math.max(...found);
}

export const isMajorAtLeast = (version: string, major: number): boolean => (coerce(version)?.major ?? 0) >= major;
