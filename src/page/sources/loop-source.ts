import { UserError } from "../../errors/index.ts";
import { causes, shortName } from "../../report/index.ts";
import { SpanRecorder, type Loop, type LoopNotice } from "../../run/index.ts";
import { printable, printableLines } from "../../text/index.ts";
import { historyOfRuns } from "./history.ts";
import { PageModel } from "../model.ts";
import { endOf, shownRuns, type PageSource } from "../source.ts";
import { seededLines, seededPast, testsOf, toneOfOutcome, type Past } from "./past.ts";
import { RunningServices, type RunningServicesSource } from "./running-services.ts";
import { actionsOf, detailOf, labelOf, statusOf } from "./function-status.ts";
import type { NodeDetails, PageCommand, PageNode, PageTop, Tone } from "../types.ts";
import { pageWhy } from "./page-why.ts";

/** What the page needs of a loop. */
export type PageLoop = Pick<
  Loop,
  "state" | "store" | "on" | "onState" | "rerun" | "cancel" | "why" | "setManual" | "runParked"
>;

export interface LoopPageOptions {
  /** Services to show beside the functions; only for pages of functions. */
  services?: RunningServicesSource | undefined;
  project: string;
  command: string;
  version: string;
}

/**
 * Content of the page for a watch or a run. It starts with recorded runs, because the page can be opened at any time.
 */
export class LoopSource implements PageSource {
  readonly model: PageModel;
  private readonly loop: PageLoop;
  private readonly options: LoopPageOptions;
  private readonly past = new Map<string, Past>();
  private readonly stops: (() => void)[];
  private readonly beside: RunningServices;
  private waiting: string | undefined;
  private broken: string | undefined;
  private engine: string | undefined;

  constructor(loop: PageLoop, options: LoopPageOptions) {
    this.loop = loop;
    this.options = options;
    this.model = new PageModel(() => ({ top: this.top(), nodes: this.nodes() }));
    this.beside = new RunningServices(options.services, () => this.model.touch());
    for (const [name, past] of seededPast(loop.store)) this.past.set(name, past);
    for (const { name, lines, atMs } of seededLines(loop.store)) this.model.logs.add(name, "old", lines, atMs);
    this.stops = [loop.on((notice) => this.note(notice)), loop.onState(() => this.model.touch())];
  }

  details(name: string, run?: string): NodeDetails | undefined {
    if (!this.loop.state.functions.some((fn) => fn.name === name)) return this.beside.details(name);
    const { store } = this.loop;
    const records = store.of(name).slice(0, shownRuns);
    const runs = records.map(({ id, startedAt, durationMs, outcome }) => ({
      id,
      startedMs: Date.parse(startedAt),
      durationMs,
      outcome,
      tone: toneOfOutcome(outcome),
    }));
    const found = this.loop.why(name);
    const why = found === undefined ? undefined : pageWhy(found);
    const live = this.past.get(name);
    const recorder = live?.recorder;
    if (recorder !== undefined && (run === undefined || run === "")) {
      const going = { id: "", startedMs: live?.startedMs ?? Date.now(), outcome: "running", tone: "busy" as const };
      const spans = recorder.all.map((span) => ({
        name: shortName(span.name, 200),
        startMs: span.startMs,
        ...(recorder.isOpen(span) ? {} : { durationMs: span.durationMs }),
        tone: recorder.isOpen(span) ? ("busy" as const) : toneOfSpan(span.error),
        ...(span.cached ? { cached: true } : {}),
      }));
      return { why, runs: [going, ...runs], run: going, spans };
    }
    const shown = runs.find(({ id }) => id === run) ?? runs[0];
    const spans = shown === undefined ? [] : store.spans.read(shown.id);
    return {
      why,
      runs,
      run: shown,
      spans: spans.map(({ name: step, startMs, durationMs, cached, error }) => ({
        name: shortName(step, 200),
        startMs,
        durationMs,
        tone: toneOfSpan(error),
        ...(cached ? { cached } : {}),
      })),
    };
  }

  history(): ReturnType<PageSource["history"]> {
    return historyOfRuns(this.loop.store.past, Date.now());
  }

  carryOut(command: PageCommand): void {
    const { loop } = this;
    switch (command.do) {
      case "run": {
        const { which } = command;
        if (typeof which !== "string") which.forEach((name) => this.requireFunction(name));
        return void loop.rerun(which);
      }
      case "cancel":
        this.requireFunction(command.node);
        return loop.cancel(command.node);
      case "manual":
        return loop.setManual(command.on);
      case "run-marked":
        return loop.runParked();
      case "restart":
        return void this.beside
          .restart(command.nodes)
          .catch((error: unknown) => this.model.notice(printableLines(String(error))));
      case "switch":
        throw new UserError("usage", "do this where `fastloop up` runs");
    }
  }

  close(): void {
    this.beside.close();
    for (const stop of this.stops) stop();
    this.model.close();
  }

  private requireFunction(name: string): void {
    if (!this.loop.state.functions.some((fn) => fn.name === name))
      throw new UserError("usage", `there is no function "${printable(name)}"`);
  }

  private note(notice: LoopNotice): void {
    const { model } = this;
    switch (notice.kind) {
      case "started": {
        const { name, reasons, atMs } = notice;
        const cause = causes(reasons, 3);
        const { tookMs, endedMs } = this.of(name);
        this.past.set(name, { tookMs, endedMs, cause, startedMs: atMs, steps: [], recorder: new SpanRecorder() });
        model.printLines(name, "step", [`▶ ${cause}`], atMs);
        break;
      }
      case "step": {
        const { name, step, done, cached, durationMs = 0 } = notice;
        const past = this.of(name);
        past.steps = past.steps.filter((other) => other !== step);
        if (!done) past.steps.push(step);
        past.recorder?.note(
          done
            ? { kind: "step-done", step, name: step, cached, durationMs }
            : { kind: "step-started", step, name: step },
        );
        if (done)
          model.printLines(name, "step", [`${shortName(step, 200)}${cached ? "  cached" : `  ${durationMs} ms`}`]);
        break;
      }
      case "output":
        return model.print(notice.name, notice.stream === "stdout" ? "out" : "err", notice.text);
      case "finished":
        this.finished(notice);
        break;
      case "restored": {
        const { name, durationMs, endedAtMs, reasons } = notice;
        const past = this.of(name);
        Object.assign(past, { failure: undefined, tookMs: durationMs, endedMs: endedAtMs, cause: causes(reasons, 3) });
        break;
      }
      case "retrying":
        model.printLines(notice.name, "step", [`attempt ${notice.attempt} of ${notice.of}: ${notice.error}`]);
        break;
      case "waiting":
        this.waiting = notice.done ? undefined : `waits ${notice.what}`;
        break;
      case "engine":
        this.engine = printable(`${notice.engine.kind} ${notice.engine.version}`);
        break;
      case "broken":
        this.broken = printableLines(notice.error.format());
        break;
      case "recovered":
        this.broken = undefined;
        break;
      case "notice":
        return model.notice(printableLines(notice.text));
      case "ready":
      case "planned":
      case "still-running":
      case "cancelling":
      case "blocked":
      case "settled":
        break;
    }
    model.touch();
  }

  private finished(notice: Extract<LoopNotice, { kind: "finished" }>): void {
    const { name, outcome, durationMs, error, steps } = notice;
    const past = this.of(name);
    const endedMs = Date.now();
    Object.assign(past, { recorder: undefined, startedMs: undefined, steps: [], endedMs, tookMs: durationMs });
    past.counts = steps;
    if (outcome === "passed") past.failure = undefined;
    else if (error !== undefined && outcome !== "cancelled" && outcome !== "stale")
      past.failure = printableLines(endOf([error.message, error.detail ?? "", error.hint ?? ""].join("\n")));
    past.tests = testsOf(notice);
    const mark = outcome === "passed" ? "✓" : outcome === "failed" || outcome === "timed-out" ? "✗" : "■";
    this.model.printLines(name, "step", [`${mark} ${outcome} in ${durationMs} ms`], endedMs);
  }

  private of(name: string): Past {
    const known = this.past.get(name);
    if (known !== undefined) return known;
    const past: Past = { steps: [] };
    this.past.set(name, past);
    return past;
  }

  private top(): PageTop {
    const { state } = this.loop;
    const { project, command, version } = this.options;
    const { text, tone } = statusOf(state, this.waiting, this.broken);
    return {
      project: printable(project),
      command,
      version,
      status: text,
      tone,
      manual: state.manual,
      ...(this.engine === undefined ? {} : { engine: this.engine }),
    };
  }

  private nodes(): PageNode[] {
    const functions = this.loop.state.functions.map((fn) => {
      const past = this.past.get(fn.name);
      const { word, tone } = labelOf(fn);
      const isBusy = fn.phase === "running" || fn.phase === "cancelling";
      const detail = detailOf(fn, past);
      return {
        id: fn.name,
        kind: "function" as const,
        name: printable(fn.name),
        needs: [...fn.needs],
        state: word,
        tone,
        ...(detail === "" ? {} : { detail: printable(detail) }),
        ...(tone === "bad" && past?.failure !== undefined ? { failure: past.failure } : {}),
        ...(isBusy && past?.startedMs !== undefined ? { sinceMs: past.startedMs } : {}),
        ...(!isBusy && past?.endedMs !== undefined ? { endedMs: past.endedMs } : {}),
        ...(past?.tookMs === undefined ? {} : { tookMs: past.tookMs }),
        ...(past?.tests === undefined || isBusy ? {} : { tests: past.tests }),
        ...(past?.counts === undefined || isBusy ? {} : { steps: past.counts }),
        digest: (fn.running ?? fn.wanted).slice(0, 8),
        can: actionsOf(fn),
      };
    });
    return [...this.beside.nodes(), ...functions];
  }
}

const toneOfSpan = (error: string | undefined): Tone => (error === undefined ? "good" : "bad");
