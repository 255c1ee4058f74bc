/** Resolves names of runs on the command line. */
import { UserError } from "../errors/index.ts";
import { suggest } from "../config/index.ts";
import type { RunRecord, RunStore } from "../run/index.ts";
import type { BaselineStore } from "./baselines.ts";
import type { RunSet } from "./runs.ts";

/** Where `runsNamed` looks names up. */
export interface RunSources {
  store: Pick<RunStore, "newestOfEach" | "of" | "withId"> & { spans: Pick<RunStore["spans"], "read"> };
  baselines: Pick<BaselineStore, "read" | "names">;
}

/**
 * Returns the runs that a name stands for. `last` and `previous` are the newest and second newest run of each function;
 * `test` and `test~1` are runs of one function; an id, or the start of one, is that run; anything else is a baseline.
 * `baseline:NAME` is always a baseline. Throws for an unknown or ambiguous name.
 */
export function runsNamed(text: string, { store, baselines }: RunSources): RunSet {
  if (text.startsWith("baseline:")) return baselineNamed(text.slice("baseline:".length), text, { store, baselines });
  const withSpans = (records: readonly RunRecord[]): RunSet => ({
    name: text,
    runs: records.map((record) => ({ record, spans: store.spans.read(record.id) })),
  });
  if (text === "last" || text === "previous") {
    const runs = store.newestOfEach(text === "last" ? 0 : 1);
    if (runs.length === 0)
      throw new UserError("usage", text === "last" ? "no run is on record" : "no function has run twice", {
        place: text,
        hint: "`fastloop run` creates a record",
      });
    return withSpans(runs.toSorted((a, b) => (a.target < b.target ? -1 : 1)));
  }
  const [, name = text, back = "0"] = /^(.*?)(?:~(\d+))?$/.exec(text) ?? [];
  const ofFunction = store.of(name).filter(({ outcome }) => outcome !== "cancelled");
  if (ofFunction.length > 0) {
    const record = ofFunction[Number(back)];
    if (record === undefined)
      throw new UserError("usage", `only ${ofFunction.length} of its runs are on record`, { place: text });
    return withSpans([record]);
  }
  const byId = /^\d/.test(text) ? store.withId(text) : [];
  if (byId.length === 1) return withSpans(byId);
  if (byId.length > 1)
    throw new UserError("usage", `${byId.length} runs have ids that begin so`, {
      place: text,
      hint: `give more of it, as ${byId[0]!.id}`,
    });
  return baselineNamed(text, text, { store, baselines });
}

function baselineNamed(name: string, place: string, { store, baselines }: RunSources): RunSet {
  const runs = baselines.read(name);
  if (runs !== undefined) return { name: place, runs };
  const functions = store.newestOfEach().map(({ target }) => target);
  const known = ["last", "previous", ...functions, ...baselines.names()];
  const meant = suggest(name, known);
  throw new UserError("usage", "no run, function or baseline has this name", {
    place,
    hint: meant === undefined ? `there are ${known.slice(0, 15).join(", ")}` : `did you mean ${meant}?`,
  });
}
