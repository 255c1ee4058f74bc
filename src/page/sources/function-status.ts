/** Describes the state of functions in the words of the terminal's view. */
import { causes, shortName } from "../../report/index.ts";
import type { FunctionState, LoopState } from "../../run/index.ts";
import type { Past } from "./past.ts";
import type { NodeAction, Tone } from "../types.ts";

/** Returns the word and color of a function's state, as in the terminal's view (docs/watching.md). */
export function labelOf(fn: FunctionState): { word: string; tone: Tone } {
  if (fn.phase === "running" && fn.running === fn.wanted) return { word: "running", tone: "busy" };
  if (fn.phase === "cancelling") return { word: "cancelled", tone: "busy" };
  if (["running", "queued", "parked", "overtaken"].includes(fn.phase)) return { word: "stale", tone: "waiting" };
  const tones: Record<FunctionState["verdict"], Tone> = {
    current: "good",
    failed: "bad",
    stale: "waiting",
    blocked: "waiting",
    cancelled: "idle",
    unknown: "idle",
  };
  return { word: fn.verdict, tone: tones[fn.verdict] };
}

export function actionsOf({ phase }: FunctionState): NodeAction[] {
  if (phase === "cancelling") return [];
  return phase === "running" || phase === "queued" ? ["cancel"] : ["run"];
}

/** Returns a line about a function: its current step, what it waits for, or its cause. */
export function detailOf(fn: FunctionState, past: Past | undefined): string {
  if (fn.phase === "running") return shortName(past?.steps.at(-1) ?? past?.cause ?? "", 160);
  if (fn.phase === "cancelling") return "being cancelled";
  if (fn.shortOf !== undefined) return `waits for ${fn.shortOf}`;
  if (fn.held) return "waits for its files to rest";
  if (fn.verdict === "blocked") return `${fn.blockedBy} has not passed`;
  if (fn.verdict === "current") return "";
  if (fn.verdict === "stale" || past === undefined) return causes(fn.reasons, 2);
  return past.cause ?? "";
}

/** Returns the state of the whole loop in one line, with its color. */
export function statusOf(
  { functions, files }: LoopState,
  waiting: string | undefined,
  broken: string | undefined,
): { text: string; tone: Tone } {
  if (broken !== undefined) return { text: broken, tone: "bad" };
  const count = (wanted: (fn: FunctionState) => boolean): number => functions.filter(wanted).length;
  const running = count(({ phase }) => phase === "running" || phase === "cancelling");
  const failed = count(({ phase, verdict }) => phase === "idle" && verdict === "failed");
  const waits = count(({ phase }) => phase === "queued");
  const marked = count(({ phase }) => phase === "parked");
  const blocked = count(({ phase, verdict }) => phase === "idle" && verdict === "blocked");
  const current = count(({ phase, verdict }) => phase === "idle" && verdict === "current");
  const parts = [
    failed > 0 && `${failed} failed`,
    running > 0 && `${running} running`,
    waits > 0 && `${waits} waiting`,
    marked > 0 && `${marked} marked`,
    blocked > 0 && `${blocked} blocked`,
    current > 0 && `${current} current`,
    waiting,
  ].filter((part) => typeof part === "string");
  const isBusy = running > 0 || waits > 0 || waiting !== undefined || files.phase === "unread";
  const tone = failed > 0 ? "bad" : isBusy ? "busy" : blocked + marked > 0 ? "waiting" : "good";
  return { text: parts.join(", ") || "looks at the files", tone };
}
