import { UserError } from "../errors/index.ts";
import type { RunRecord, RunStore } from "../run/index.ts";
import type { ProjectState } from "../state/index.ts";
import type { RecordedRun } from "./runs.ts";

const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;
const fileShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.json$/;
const fileOf = (name: string): string => `${name}.json`;

/** Stores runs under a name. They are kept when the records of the runs are deleted. */
export class BaselineStore {
  private readonly state: ProjectState;

  constructor(state: ProjectState) {
    this.state = state;
  }

  /**
   * Saves the newest passed run of each function, and returns their number. Throws when a function has never passed.
   */
  save(name: string, functions: readonly string[], store: RunStore): number {
    requireName(name);
    const runs = functions.map((target): RecordedRun => {
      const record = store.history(target).lastPassed as RunRecord | undefined;
      if (record === undefined)
        throw new UserError("usage", `${target} has not passed yet`, {
          place: "--save-baseline",
          hint: "a baseline needs runs that passed",
        });
      return { record, spans: store.spans.read(record.id) };
    });
    this.state.write("baselines", fileOf(name), [Buffer.from(JSON.stringify({ version: 1, runs }))]);
    return runs.length;
  }

  /** Returns undefined when there is no valid baseline with that name. */
  read(name: string): RecordedRun[] | undefined {
    if (!nameShape.test(name)) return undefined;
    const content = this.state.read("baselines", fileOf(name), () =>
      this.state.notice(`the baseline ${name} is damaged, or not of this user and place; it does not count`),
    );
    if (content === undefined) return undefined;
    try {
      const { version, runs } = JSON.parse(content.toString("utf8")) as { version: unknown; runs: RecordedRun[] };
      return version === 1 && Array.isArray(runs) ? runs : undefined;
    } catch {
      return undefined;
    }
  }

  names(): string[] {
    return this.state
      .names("baselines", fileShape)
      .map((file) => file.slice(0, -".json".length))
      .sort();
  }
}

/** Throws for a name that can't be a file's name. */
export function requireName(name: string): void {
  if (nameShape.test(name)) return;
  throw new UserError("usage", `not a name for a baseline: ${name}`, {
    place: "--save-baseline",
    hint: "letters, digits, '.', '_' and '-', 80 at most",
  });
}
