/**
 * Remembers which dependencies each function called last time, in a file beside the module's bundle, so that their
 * processes start together with the module's own. This only saves time: any other dependency starts when it is first
 * called.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../../tree/index.ts";
import type { ModuleBundle } from "./bundle.ts";

/** With more processes, a function's start would wait longer than it saves. */
const mostStarted = 8;

export class AskedModules {
  private readonly file: string;
  private known: Record<string, readonly string[]> | undefined;

  constructor({ folder }: ModuleBundle) {
    this.file = path.join(folder, "asked.json");
  }

  /** `key`: the function as `Object.name`. */
  of(key: string): readonly string[] {
    const names = Object.hasOwn(this.all(), key) ? this.all()[key] : undefined;
    return names?.slice(0, mostStarted) ?? [];
  }

  /** `names`: dependencies that the ended call used. */
  learn(key: string, names: ReadonlySet<string>): void {
    const sorted = [...names].sort().slice(0, mostStarted);
    if (sorted.join() === this.of(key).join()) return;
    this.known = { ...this.all(), [key]: sorted };
    try {
      writeFileAtomically(this.file, JSON.stringify(this.known));
    } catch {
      // An unwritable cache only costs time.
    }
  }

  private all(): Record<string, readonly string[]> {
    this.known ??= read(this.file);
    return this.known;
  }
}

function read(file: string): Record<string, readonly string[]> {
  try {
    const found: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof found !== "object" || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter(
        (entry): entry is [string, string[]] =>
          Array.isArray(entry[1]) && entry[1].every((name) => typeof name === "string"),
      ),
    );
  } catch {
    return {};
  }
}
