/**
 * Which modules a function asked the last time, kept beside the module's bundle: their processes start with its own instead
 * of one after the other. It saves time only: whatever is asked is started when it is.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../../tree/index.ts";
import type { ModuleBundle } from "./bundle.ts";

/** Beyond that a function's start waits for more processes than it saves. */
const mostStarted = 8;

export class AskedModules {
  private readonly file: string;
  private known: Record<string, readonly string[]> | undefined;

  constructor({ folder }: ModuleBundle) {
    this.file = path.join(folder, "asked.json");
  }

  /** `key`: the function, `Object.name`. */
  of(key: string): readonly string[] {
    const names = Object.hasOwn(this.all(), key) ? this.all()[key] : undefined;
    return names?.slice(0, mostStarted) ?? [];
  }

  /** `names`: what a call that is over asked. */
  learn(key: string, names: ReadonlySet<string>): void {
    const sorted = [...names].sort().slice(0, mostStarted);
    if (sorted.join() === this.of(key).join()) return;
    this.known = { ...this.all(), [key]: sorted };
    try {
      writeFileAtomically(this.file, JSON.stringify(this.known));
    } catch {
      // A cache that can't be written is as good as none.
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
