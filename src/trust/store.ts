/**
 * What the user has allowed each project: one file per project in the user's state folder, outside of any repository,
 * `$XDG_STATE_HOME/fastloop/trust`. A file that is damaged, or that others can write, allows nothing.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { currentRecorder, realPath, stateHome } from "../paths/index.ts";
import { makeFolders, writeFileAtomically } from "../tree/index.ts";
import type { Ask } from "./types.ts";

export interface StoredTrust {
  version: 1;
  /** Real path. */
  project: string;
  /** Time of the user's last consent, ISO 8601. */
  trustedAt: string;
  asks: Ask[];
}

type Environment = Readonly<Record<string, string | undefined>>;

export class TrustStore {
  private readonly folder: string;

  constructor(env: Environment = process.env) {
    this.folder = path.join(stateHome(env), "trust");
  }

  /** Returns the path of a project's file, whether or not it exists. */
  fileOf(project: string): string {
    return path.join(this.folder, `${createHash("sha256").update(realPath(project)).digest("hex").slice(0, 32)}.json`);
  }

  read(project: string): StoredTrust | undefined {
    const stored = readStored(this.fileOf(project));
    return stored?.project === realPath(project) ? stored : undefined;
  }

  /** Replaces what was allowed before. */
  write(project: string, asks: readonly Ask[]): void {
    makeFolders(path.dirname(this.folder));
    const stored: StoredTrust = {
      version: 1,
      project: realPath(project),
      trustedAt: new Date().toISOString(),
      asks: asks.map(({ kind, what, by }) => ({ kind, what, by })),
    };
    writeFileAtomically(this.fileOf(project), `${JSON.stringify(stored, null, 2)}\n`, 0o600);
  }

  /** Returns false if there was nothing to remove. */
  remove(project: string): boolean {
    const file = this.fileOf(project);
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return false;
    rmSync(file);
    return true;
  }

  /** Returns every project with stored trust, sorted by path. */
  list(): StoredTrust[] {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return [];
    }
    const stored = names
      .filter((name) => /^[0-9a-f]{32}\.json$/.test(name))
      .flatMap((name) => readStored(path.join(this.folder, name)) ?? []);
    return stored.toSorted((a, b) => (a.project < b.project ? -1 : 1));
  }
}

function readStored(file: string): StoredTrust | undefined {
  const recorder = currentRecorder();
  recorder?.link(file);
  recorder?.content(file);
  try {
    const { uid, mode } = lstatSync(file);
    const own = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    const value: unknown = own ? JSON.parse(readFileSync(file, "utf8")) : undefined;
    return isStored(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStored(value: unknown): value is StoredTrust {
  if (
    !isRecord(value) ||
    value["version"] !== 1 ||
    typeof value["project"] !== "string" ||
    typeof value["trustedAt"] !== "string"
  )
    return false;
  return (
    Array.isArray(value["asks"]) &&
    value["asks"].every(
      (ask) => isRecord(ask) && [ask["kind"], ask["what"], ask["by"]].every((part) => typeof part === "string"),
    )
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
