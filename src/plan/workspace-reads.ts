/**
 * What functions with a `Workspace` argument have read of it. This is known only from their last run, and from then on
 * it is part of their inputs. With the same files and code they read the same again, so a result whose reads are
 * unchanged still holds.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { isReallyInside, leadsOut, realPath } from "../paths/index.ts";
import {
  filterOfRead,
  type MadeRead,
  type ParsedCall,
  type WorkspacePlace,
  type WorkspaceRead,
} from "../call/index.ts";
import type { ProjectState } from "../state/index.ts";
import { readOnce, sameListing, sameStat } from "../tree/index.ts";
import { canonicalCall } from "./fingerprint.ts";
import type { ProjectSnapshot } from "./scan/project-snapshot.ts";
import type { TargetInput } from "./inputs/target-input.ts";

/** Number of calls remembered in a project; the oldest are dropped first. */
const keptFiles = 500;
const fileShape = /^[0-9a-f]{64}\.json$/;

/** Kept in memory for a watch on a full or read-only disk. */
const unwrittenReads = new Map<string, WorkspaceRead[]>();

/** Reads of each call's last run, kept in the project's state. */
export class WorkspaceReads {
  private readonly state: ProjectState;
  readonly place: WorkspacePlace;

  constructor(state: ProjectState, place: WorkspacePlace) {
    this.state = state;
    this.place = place;
  }

  /** Returns no reads if the call has not run yet, or read nothing. */
  of(call: ParsedCall, given: readonly TargetInput[]): WorkspaceRead[] {
    const isAny = readOnce(
      `reads of ${this.state.path}`,
      () => unwrittenReads.size > 0 || this.state.names("reads", fileShape).length > 0,
    );
    if (!isAny) return [];
    const name = this.fileOf(call, given);
    const unwritten = unwrittenReads.get(`${this.state.path}/${name}`);
    if (unwritten !== undefined) return unwritten;
    const content = this.state.read("reads", name, () =>
      this.state.notice(
        `what functions read the last time is damaged, or not of this user and place (${name.slice(0, 8)}…); it does not count`,
      ),
    );
    return content === undefined ? [] : (parseReads(content) ?? []);
  }

  /** Stores the reads; returns whether they differ from the previous ones. */
  keep(call: ParsedCall, given: readonly TargetInput[], reads: readonly WorkspaceRead[]): boolean {
    if (JSON.stringify(this.of(call, given)) === JSON.stringify(reads)) return false;
    const name = this.fileOf(call, given);
    const isWritten = this.state.write("reads", name, [Buffer.from(JSON.stringify({ version: 1, reads }))]);
    if (isWritten) this.state.keepNewest("reads", fileShape, keptFiles);
    unwrittenReads.delete(`${this.state.path}/${name}`);
    if (!isWritten) unwrittenReads.set(`${this.state.path}/${name}`, [...reads]);
    return true;
  }

  inputsOf(reads: readonly WorkspaceRead[]): TargetInput[] {
    return reads.map((read) => {
      const at = path.join(this.place.root, read.path);
      // The function is refused a path that leads outside by now, and nobody else reads it instead.
      const isPresence = read.kind === "presence" || !isReallyInside(this.place.root, at);
      return {
        argument: "workspace",
        kind: read.kind === "directory" && !isPresence ? "directory" : "file",
        path: at,
        filter: isPresence ? {} : filterOfRead(read),
        read,
        ...(isPresence ? { presence: true as const } : {}),
      };
    });
  }

  /** `given` is what the call reads by its arguments, as the same words may mean another folder. */
  private fileOf(call: ParsedCall, given: readonly TargetInput[]): string {
    const from = path.relative(this.place.root, this.place.folder);
    const own = given.filter(({ read }) => read === undefined).map((input) => [input.argument, input.path]);
    const key = JSON.stringify([from, call.toolchain?.name, canonicalCall(call), own]);
    return `${createHash("sha256").update(key).digest("hex")}.json`;
  }
}

/** Reports whether everything that was read is unchanged; `snapshot` has scanned the inputs of these reads. */
export function isAsRead(
  made: readonly MadeRead[],
  inputs: readonly TargetInput[],
  snapshot: ProjectSnapshot,
): boolean {
  return made.every(({ read, listing }, index) => {
    const now = snapshot.listing(inputs[index]!);
    if (read.kind === "presence")
      return (snapshot.digest(inputs[index]!) === "missing") === (listing.entries.length === 0);
    if (read.kind === "directory") {
      const isThere = now !== undefined && (now.entries.length > 0 || snapshot.digest(inputs[index]!) !== "missing");
      // What a missing folder gave was listed as nothing in the folder above it.
      const wasThere = listing.root !== path.dirname(realPath(inputs[index]!.path));
      return isThere && wasThere ? sameListing(listing, now) : isThere === wasThere;
    }
    const [before, after] = [listing.entries[0], now?.entries[0]];
    return before === undefined || after === undefined ? before === after : sameStat(before, after);
  });
}

/** Checked by hand like records, as a schema library would take longer to load than all of them to read. */
function parseReads(content: Buffer): WorkspaceRead[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  const stored = value as { version?: unknown; reads?: unknown } | null;
  if (stored?.version !== 1 || !Array.isArray(stored.reads)) return undefined;
  return stored.reads.every(isRead) ? stored.reads : undefined;
}

function isRead(value: unknown): value is WorkspaceRead {
  if (typeof value !== "object" || value === null) return false;
  const { kind, path: at, include, exclude, gitignore } = value as Record<string, unknown>;
  if (typeof at !== "string" || leadsOut(at) || path.isAbsolute(at)) return false;
  if (kind === "file" || kind === "presence") return true;
  return kind === "directory" && isTexts(include) && isTexts(exclude) && typeof gitignore === "boolean";
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === "string");
