import { advance, cancelFunction, endFunction, planFunctions, stopFunctions, unpark } from "./functions.ts";
import { endScan, endVerify, filesChanged, dropScans, verifyAtRest, requestScan } from "./scans.ts";
import type { LoopEvent, LoopState, Step } from "./state.ts";

/**
 * What happens to the files and to each function, as a pure reducer: state and event in, state and effects out. Nothing
 * here knows about engines, disks or time.
 *
 * The files. Any phase becomes `unsettled` when hints come in (`hinted`) or a scan is requested (`scan`):
 *
 *              scan                     planned (unsettled: stays)              at rest
 *   unread ───────────▶ unsettled ───────────────────────────────▶ part-seen ─────────────▶ verifying
 *                        ▲  ▲  │ │ planned: whole                   ▲     ▲                  │  │  │
 *                        │  │  │ └──────────▶ all-seen ─────────────┘     └──────────────────┘  │  │
 *                        │  │  │                 │  a function starts       a function starts   │  │
 *      scan requested    │  │  │ unreadable      │ at rest                                      │  │
 *                        │  │  ▼                 ▼                          verified: still     │  │
 *                        │ unreadable          verified ◀───────────────────────────────────────┘  │
 *                        └─────────────────────────────────────────────────────────────────────────┘
 *                                              verified: files changed → rescan
 *
 * Scans run one after another. A scan that is requested during another one waits, and nothing starts before it has
 * ended. Each verify has a number, and the answer of any but the newest is dropped. In `unsettled` and `unreadable`
 * running functions go on, except stale ones, which are cancelled. `verified` is reported as `settled`.
 *
 * A function:
 *
 *                    planned: affected                    needs up to date, a job free
 *   initial ──────────────────────────────▶ queued ─────────────────────────────────▶ running
 *      │ planned: up to date                ▲  ▲  │ planned: up to date              │ │  │ │
 *      ▼                planned: affected   │  │  ▼                          finished │ │  │ │ stop
 *    idle ──────────────────────────────────┘  │ idle ◀───────────────────────────────┘ │  │ │
 *   (current, failed, blocked, stale)          │   (policy `queue`: stays, runs again)  │  │ │
 *                                              │                                        ▼  │ ▼
 *                                              └──────── finished ◀──────────────── cancelling ──▶ stopped
 *                                                      still affected     planned: another digest,
 *                                                                         policy `restart`
 *
 *   running ── finished, an input changed ────▶ overtaken ── planned: affected ──▶ queued (held from the third time on)
 *                                                   └─────── planned: up to date ─▶ idle
 *
 * `overtaken` is not at rest: no summary, no exit code and no "settled" before the scan that follows. From the third
 * attempt in a row on the function waits longer each time. If it passed, its dependents run meanwhile; if it fails in
 * the end, they are blocked. A blocked function with a result is up to date again, without a run, once a plan queues
 * its need again.
 *
 * A function that a user cancels is `idle`, cancelled, until its files change or it is requested; its dependents are
 * blocked.
 *
 * In manual mode a function is `parked` instead of queued, until it is requested.
 */
export function reduce(state: LoopState, event: LoopEvent): Step {
  switch (event.kind) {
    case "hinted":
      return filesChanged(state);
    case "scan":
      return requestScan(state, event.scan);
    case "planned": {
      const scan = endScan(state, { unsettled: event.unsettled ?? false, whole: event.whole ?? false });
      const limited = { ...scan.state, limits: event.limits ?? state.limits };
      const { state: next, effects } = planFunctions(limited, event.functions);
      return onward({ state: next, effects: [...effects, ...scan.effects] });
    }
    case "unreadable":
      return endScan(state, "unreadable");
    case "verified":
      return endVerify(state, event.attempt, event.isStill);
    case "finished": {
      if ((event.fresh && event.learned === undefined) || state.stopping) return onward(endFunction(state, event));
      const { state: next, effects } = advance(endFunction(state, event));
      return { state: next, effects: [...effects, { kind: "rescan" }] };
    }
    case "released": {
      const functions = state.functions.map((fn) => (event.names.includes(fn.name) ? { ...fn, held: false } : fn));
      return onward({ state: { ...state, functions }, effects: [] });
    }
    case "watch":
      return { state: { ...state, watching: true }, effects: [] };
    case "manual":
      return onward(
        event.on ? { state: { ...state, manual: true }, effects: [] } : unpark({ ...state, manual: false }),
      );
    case "cancel":
      return onward(cancelFunction(state, event.name));
    case "asked":
      return onward(unpark(state));
    case "stop": {
      const scans = dropScans(state);
      const { state: next, effects } = stopFunctions(scans.state);
      return { state: next, effects: [...scans.effects, ...effects] };
    }
  }
}

function onward(step: Step): Step {
  return verifyAtRest(advance(step));
}
