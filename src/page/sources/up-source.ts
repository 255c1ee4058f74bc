import { textIfThere } from "../../paths/index.ts";
import { UserError } from "../../errors/index.ts";
import { firstOf, memoryText, shortName } from "../../report/index.ts";
import type { Place, ServiceStatus, UpEvent } from "../../services/index.ts";
import { spreadOf } from "../../stats/index.ts";
import { dayAndTime, printable, printableLines } from "../../text/index.ts";
import type { LoopPageOptions } from "./loop-source.ts";
import { PageModel } from "../model.ts";
import { serviceNode, toneOf } from "./service-node.ts";
import { endOf, mostPoints, type PageSource } from "../source.ts";
import type {
  HistoryPoint,
  NodeDetails,
  PageCommand,
  PageHistory,
  PageNode,
  PageRun,
  PageSpan,
  PageTop,
  Tone,
} from "../types.ts";

/** What the page needs of services that are up. */
export interface PageUp {
  statuses(): readonly ServiceStatus[];
  restart(names: readonly string[]): Promise<void>;
  switchTo(place: Place, names: readonly string[]): Promise<void>;
  subscribe(listener: (event: UpEvent) => void): () => void;
  logFile(name: string): string;
}

/** A period in which a service was in one phase. */
interface Stay {
  phase: ServiceStatus["phase"];
  sinceMs: number;
}

const keptStays = 500;
const seededLines = 2_000;
/** Log of build steps, which belong to no single service. */
const buildLog = "build";

/** Content of the page for services that are up. */
export class UpSource implements PageSource {
  readonly model: PageModel;
  private readonly up: PageUp;
  private readonly options: LoopPageOptions;
  private readonly stays = new Map<string, Stay[]>();
  private readonly points: HistoryPoint[] = [];
  private readonly lastEdit = new Map<string, string>();
  private readonly stop: () => void;

  constructor(up: PageUp, options: LoopPageOptions) {
    this.up = up;
    this.options = options;
    this.model = new PageModel(() => ({ top: this.top(), nodes: this.nodes() }));
    for (const status of up.statuses()) {
      this.stays.set(status.name, [{ phase: status.phase, sinceMs: Date.parse(status.since) }]);
      for (const [at, line] of linesSinceStart(up.logFile(status.name)))
        this.model.logs.add(status.name, "old", [line], at);
    }
    this.stop = up.subscribe((event) => this.note(event));
  }

  details(name: string): NodeDetails | undefined {
    const stays = this.stays.get(name);
    const status = this.up.statuses().find((each) => each.name === name);
    if (stays === undefined || status === undefined) return undefined;
    const startedMs = stays[0]?.sinceMs ?? Date.now();
    const run: PageRun = { id: "", startedMs, outcome: status.phase, tone: toneOf(status.phase) };
    const spans = stays.map(({ phase, sinceMs }, index): PageSpan => {
      const next = stays[index + 1];
      return {
        name: phase,
        startMs: sinceMs - startedMs,
        ...(next === undefined ? {} : { durationMs: next.sinceMs - sinceMs }),
        tone: toneOf(phase),
      };
    });
    const edits = this.points
      .filter((point) => point.node === name)
      .map(({ atMs, durationMs, outcome, tone }): PageSpan => {
        return { name: outcome, startMs: atMs - startedMs, durationMs, tone };
      });
    return {
      runs: [run],
      run,
      spans: [...spans, ...edits].sort((a, b) => a.startMs - b.startMs),
      why: {
        summary: `${status.phase} since ${dayAndTime(status.since)}`,
        causes: status.reason === undefined ? [] : [printableLines(endOf(status.reason))],
        parts: [
          ...status.ports.map(({ host, container }) => ({
            name: "port",
            value: `127.0.0.1:${host} leads to ${container} in the container`,
          })),
          ...(status.memoryBytes === undefined ? [] : [{ name: "memory", value: memoryText(status) }]),
          ...status.needs.map((need) => ({ name: "needs", value: printable(need) })),
        ],
      },
    };
  }

  history(): PageHistory {
    const figures = [...this.stays.keys()].map((name) => {
      const own = this.points.filter(({ node }) => node === name);
      const duration = spreadOf(own.map(({ durationMs }) => durationMs));
      return {
        name: printable(name),
        runs: own.length,
        failed: own.filter(({ tone }) => tone === "bad").length,
        p50Ms: duration?.p50Ms,
        p95Ms: duration?.p95Ms,
      };
    });
    return { points: [...this.points], figures, days: [] };
  }

  carryOut(command: PageCommand): void {
    if (command.do !== "restart" && command.do !== "switch")
      throw new UserError("usage", "services restart; functions run");
    const names = command.do === "switch" ? [command.node] : command.nodes;
    const missing = names.find((name) => !this.stays.has(name));
    if (missing !== undefined) throw new UserError("usage", `no service \`${printable(missing)}\` is up`);
    const isDone = command.do === "switch" ? this.up.switchTo(command.to, names) : this.up.restart(names);
    isDone.catch((error: unknown) => this.model.notice(printableLines(String(error))));
  }

  close(): void {
    this.stop();
    this.model.close();
  }

  private note(event: UpEvent): void {
    const { model } = this;
    switch (event.kind) {
      case "state": {
        const { name, phase, since, reason, startedInMs } = event.service;
        const stays = this.stays.get(name) ?? [];
        this.stays.set(name, stays);
        stays.push({ phase, sinceMs: Date.parse(since) });
        if (stays.length > keptStays) stays.shift();
        // A health check that passes again, or a replaced container, is not a start.
        const isStarted = phase === "healthy" && stays.at(-2)?.phase === "starting";
        if (isStarted && startedInMs !== undefined) this.point(name, startedInMs, "started", "good");
        model.printLines(name, "step", [reason === undefined ? phase : `${phase}: ${reason.split("\n")[0]}`]);
        break;
      }
      case "log":
        return model.printLines(event.name, event.stream === "stdout" ? "out" : "err", [event.text]);
      case "step":
        return model.printLines(buildLog, event.error === undefined ? "step" : "err", [
          `${shortName(event.name, 200)}  ${event.error ?? `${event.durationMs} ms`}`,
        ]);
      case "edit": {
        const { name, action, files, tookMs, reason } = event;
        const text = `${action}: ${firstOf(files, 3)} in ${tookMs} ms`;
        this.point(name, tookMs, action, action === "failed" ? "bad" : "good");
        this.lastEdit.set(name, text);
        model.printLines(name, action === "failed" ? "err" : "step", [text, ...(reason?.split("\n") ?? [])]);
        break;
      }
      case "described": {
        const { files, added, changed, removed, reason } = event;
        const done = reason ?? [...added, ...changed, ...removed].join(", ");
        model.notice(printableLines(`${firstOf(files, 3)}: ${done || "read again"}`));
        break;
      }
      case "notice":
        return model.notice(printableLines(event.text));
      case "settled":
        break;
    }
    model.touch();
  }

  private point(node: string, durationMs: number, outcome: string, tone: Tone): void {
    this.points.push({ node, atMs: Date.now() - durationMs, durationMs, outcome, tone });
    if (this.points.length > mostPoints) this.points.shift();
  }

  private top(): PageTop {
    const { project, command, version } = this.options;
    const statuses = this.up.statuses();
    const counts = new Map<string, number>();
    for (const { phase } of statuses) counts.set(phase, (counts.get(phase) ?? 0) + 1);
    const status = [...counts].map(([phase, count]) => `${count} ${phase}`).join(", ");
    const tones = statuses.map(({ phase }) => toneOf(phase));
    const tone = (["bad", "busy", "waiting"] as const).find((each) => tones.includes(each)) ?? "good";
    return { project: printable(project), command, version, status: status || "no service", tone };
  }

  private nodes(): PageNode[] {
    return this.up.statuses().map((status) => serviceNode(status, this.lastEdit.get(status.name)));
  }
}

/**
 * Returns the lines printed since this process started, before the page was opened. A log file has the time before each
 * line.
 */
function linesSinceStart(file: string): [atMs: number, line: string][] {
  const startedMs = Date.now() - process.uptime() * 1000;
  return textIfThere(file)
    .split("\n")
    .slice(-seededLines)
    .flatMap((line): [number, string][] => {
      const end = line.indexOf(" ");
      const atMs = Date.parse(line.slice(0, Math.max(0, end)));
      return atMs >= startedMs ? [[atMs, line.slice(end + 1)]] : [];
    });
}
