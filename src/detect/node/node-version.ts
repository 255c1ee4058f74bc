import { satisfies, coerce, validRange } from "semver";
import { joined } from "../files.ts";
import type { ProjectFiles } from "../types.ts";

/** Majors of Node that have images, the one that is taken where nothing decides first. */
const majors = [22, 24, 20, 18, 25, 23, 16];
/** The oldest that has an image of today's Debian. */
const oldestWithImage = 16;
/** The oldest that runs the npm of our own images. */
const oldestWithNpm = 18;

export interface WantedNode {
  /** `.nvmrc` and the like; empty where nothing pins one. */
  pinned: string;
  /** `engines.node`. */
  engines: string;
  /** The newest that the repository's own CI tests with. */
  newestInCi?: number;
}

export interface NodeChoice {
  /** Of the image; undefined: whichever. */
  major: number | undefined;
  /** What the tests run with. */
  runs: number | undefined;
  /** Commands that put another Node into that image. */
  prepare: string[];
}

/** The Node of a repository; `available` are the majors of a machine that can have no other images. */
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

/** Images of old ones have the Debian of their time. */
export const nodeImage = (major: number): string =>
  `node:${major}-${major >= oldestWithImage ? "bookworm" : major >= 12 ? "bullseye" : "buster"}-slim`;

/** What to tell where no Node that the repository asks for can be had. */
export function unmetNode(wanted: WantedNode, available: readonly number[] = []): string | undefined {
  const { runs } = chooseNode(wanted, available);
  const taken = `Node ${runs ?? available[0] ?? majors[0]!} is taken; \`image\` of the suite names another`;
  const pinned = /^v?(\d+)/.exec(wanted.pinned.trim())?.[1];
  if (pinned !== undefined && Number(pinned) !== runs)
    return `Node ${pinned} is pinned, and there is no image of it here: ${taken}`;
  return runs === undefined ? `no Node that there is an image of satisfies \`${wanted.engines}\`: ${taken}` : undefined;
}

/** The major that the repository names, or the nearest to the newest of its CI where that is older than what is usual here. */
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

/** Moved, not linked: npm finds the folder of global packages, which is on the PATH, from where its Node really lies. */
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

/** The newest major of Node in texts of workflows: `node-version: 20`, or a list in the matrix. */
export function newestNodeIn(workflows: readonly string[]): number | undefined {
  const lists = workflows.flatMap((text) => [
    ...text.matchAll(
      /\bnode(?:[-_]?(?:js|version)s?)?:[ \t]*(\[[^\]]{0,2000}\]|["']?\d[\w.]*|(?:[ \t]*\r?\n[ \t]*-[ \t]*["']?\d[\w."']*)+)/gi,
    ),
  ]);
  const found = lists.flatMap(([, list = ""]) =>
    [...list.matchAll(/(?<![\w.])(\d{1,2})(?![\w-])/g)].map(([, major]) => Number(major)),
  );
  return found.length === 0 ? undefined : Math.max(...found);
}

export const isMajorAtLeast = (version: string, major: number): boolean => (coerce(version)?.major ?? 0) >= major;
