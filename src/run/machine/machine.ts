import { advance, cancelFunction, endFunction, planFunctions, stopFunctions, unpark } from "./functions.ts";
import { endLook, endVerify, filesMoved, stopLooks, verifyAtRest, wantLook } from "./looks.ts";
import type { LoopEvent, LoopState, Step } from "./state.ts";

/**
 * What happens to the files and to each function, as a pure reducer: state and event in, state and effects out. Nothing
 * here knows of engines, disks or time.
 *
 * The files. Any phase becomes `unsettled` when hints come in (`hinted`) or a look is wanted (`look`):
 *
 *              look                     planned (unsettled: stays)              at rest
 *   unread ───────────▶ unsettled ───────────────────────────────▶ part-seen ─────────────▶ verifying
 *                        ▲  ▲  │ │ planned: whole                   ▲     ▲                  │  │  │
 *                        │  │  │ └──────────▶ all-seen ─────────────┘     └──────────────────┘  │  │
 *                        │  │  │                 │  a function starts       a function starts   │  │
 *      a look is wanted  │  │  │ unreadable      │ at rest                                      │  │
 *                        │  │  ▼                 ▼                          verified: still     │  │
 *                        │ unreadable          verified ◀───────────────────────────────────────┘  │
 *                        └─────────────────────────────────────────────────────────────────────────┘
 *                                              verified: they moved → rescan
 *
 * Looks are made one after another; one that is wanted meanwhile waits, and until it has ended nothing starts. A verify
 * has a number, and the answer of any but the newest is dropped. In `unsettled` and `unreadable` what runs goes on, and
 * what became stale is cancelled. `verified` is told as `settled`.
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
 *   running ── finished, but an input moved ──▶ overtaken ── planned: affected ──▶ queued (held from the third time on)
 *                                                   └─────── planned: up to date ─▶ idle
 *
 * `overtaken` is not at rest: no summary, no exit code and no "settled" before the look that follows. From the third
 * attempt in a row on the function waits longer each time; those that need it run meanwhile if it passed, and are blocked
 * when it fails in the end. What is blocked and has a result is up to date again, without a run, when its need has passed.
 *
 * What somebody cancels is `idle`, cancelled, until its files change or it is asked for; what needs it is blocked.
 *
 * In manual mode a function is `parked` where it would be queued, until it is asked for.
 */
export function reduce(state: LoopState, event: LoopEvent): Step {
  switch (event.kind) {
    case "hinted":
      return filesMoved(state);
    case "look":
      return wantLook(state, event.look);
    case "planned": {
      const look = endLook(state, { unsettled: event.unsettled ?? false, whole: event.whole ?? false });
      const limited = { ...look.state, limits: event.limits ?? state.limits };
      const { state: next, effects } = planFunctions(limited, event.functions);
      return onward({ state: next, effects: [...effects, ...look.effects] });
    }
    case "unreadable":
      return endLook(state, "unreadable");
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
      const looks = stopLooks(state);
      const { state: next, effects } = stopFunctions(looks.state);
      return { state: next, effects: [...looks.effects, ...effects] };
    }
  }
}

function onward(step: Step): Step {
  return verifyAtRest(advance(step));
}
