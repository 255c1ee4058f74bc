import type { ServiceStatus, UpEvent } from "../services/index.ts";
import { printable, size } from "../text/index.ts";
import { duration, plural, shortName, wholeSeconds, type Paint } from "./text.ts";

export interface UpReporterOptions {
  write(line: string): void;
  paint: Paint;
  /** Whether to print the services' output, too. */
  logs: boolean;
  /** Whether to print all build steps. */
  verbose: boolean;
}

/** Writes a line for each change of a service, and for each line of its output. */
export function upReporter({ write, paint, logs, verbose }: UpReporterOptions): (event: UpEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "state":
        for (const line of stateLines(event.service, paint)) write(line);
        break;
      case "log":
        if (logs) write(`${paint("dim", `${event.name} |`)} ${event.text}`);
        break;
      case "step":
        if (verbose || event.durationMs >= shownStepMs || event.error !== undefined) write(stepLine(event, paint));
        break;
      case "edit":
        for (const line of editLines(event, paint)) write(line);
        break;
      case "described":
        for (const line of describedLines(event, paint)) write(line);
        break;
      case "notice":
        write(event.text);
        break;
      case "settled":
        if (event.healthy) write(paint("green", `all healthy in ${duration(event.tookMs)}`));
    }
  };
}

/** Successful steps that took less are only printed with `verbose`. */
const shownStepMs = 1_000;

function stepLine(event: Extract<UpEvent, { kind: "step" }>, paint: Paint): string {
  const text = `${event.error === undefined ? "done" : "failed"}: ${shortName(event.name)} (${duration(event.durationMs)})`;
  return paint(event.error === undefined ? "dim" : "red", text);
}

function editLines(event: Extract<UpEvent, { kind: "edit" }>, paint: Paint): string[] {
  const { name, action, files, tookMs, reason } = event;
  const [first = "", ...rest] = (reason ?? "").split("\n");
  const what = files.length === 1 ? printable(files[0]!) : plural(files.length, "file");
  if (action === "failed")
    return [
      `${paint("bold", name)}: ${paint("red", "failed")} after ${what}: ${first}`,
      ...rest.map((line) => `  ${line}`),
    ];
  return [`${paint("bold", name)}: ${paint("cyan", action)} ${what} in ${duration(tookMs)}`];
}

function describedLines(event: Extract<UpEvent, { kind: "described" }>, paint: Paint): string[] {
  const { files, added, changed, removed, tookMs, reason } = event;
  const [only] = files;
  const what =
    only === undefined ? "the configuration" : files.length === 1 ? printable(only) : plural(files.length, "file");
  if (reason !== undefined) {
    const [first = "", ...rest] = reason.split("\n");
    return [
      `${what}: ${paint("red", "not taken")}, services go on as they were: ${first}`,
      ...rest.map((line) => `  ${line}`),
    ];
  }
  const done = [
    ...(added.length === 0 ? [] : [`${added.join(", ")} added`]),
    ...(changed.length === 0 ? [] : [`${changed.join(", ")} made anew`]),
    ...(removed.length === 0 ? [] : [`${removed.join(", ")} removed`]),
  ];
  const text = done.length === 0 ? "read again, no container is another" : `${done.join("; ")} in ${duration(tookMs)}`;
  return [`${what}: ${paint("cyan", text)}`];
}

function stateLines(service: ServiceStatus, paint: Paint): string[] {
  const { name, phase, needs, reason } = service;
  const label = paint("bold", name);
  const [first = "", ...rest] = (reason ?? "").split("\n");
  switch (phase) {
    case "waiting":
      return needs.length === 0 ? [] : [`${label}: waiting for ${needs.join(", ")}`];
    case "healthy":
      return [`${label}: ${paint("green", "healthy")}${healthyText(service)}`];
    case "failed":
    case "ended":
    case "unhealthy":
      return [`${label}: ${paint("red", phase)}: ${first}`, ...rest.map((line) => `  ${line}`)];
    default:
      return [`${label}: ${phase}`];
  }
}

function healthyText(service: ServiceStatus): string {
  const took = service.startedInMs === undefined ? "" : ` in ${duration(service.startedInMs)}`;
  const places = placesText(service);
  return places === "" ? took : `${took}, ${places}`;
}

/** Returns `localhost:8080, localhost:3000 -> 80`, with a mark when a host process stands in for the service. */
export function placesText({ ports, place }: Pick<ServiceStatus, "ports" | "place">): string {
  const text = ports
    .map(({ host, container }) => `localhost:${host}${host === container ? "" : ` -> ${container}`}`)
    .join(", ");
  return place === "local" ? `${text} (local)`.trimStart() : text;
}

/** Returns the rows of `fastloop status`. */
export function statusTable(services: readonly ServiceStatus[], paint: Paint): string[] {
  const width = Math.max(...services.map(({ name }) => name.length));
  const memory = services.map(memoryText);
  const memoryWidth = Math.max(...memory.map((text) => text.length));
  const used = services.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
  const rows = services.map((service, index) => {
    const { name, phase, reason } = service;
    const why = reason === undefined ? "" : `  ${printable(reason.split("\n")[0]!)}`;
    const columns = [name.padEnd(width), paint(phaseStyle(phase), phase.padEnd(9))];
    if (memoryWidth > 0) columns.push(memory[index]!.padEnd(memoryWidth));
    return `${columns.join("  ")}  ${placesText(service)}${why}${lastEditText(service, "  ")}`.trimEnd();
  });
  return services.length > 1 && used > 0 ? [...rows, paint("dim", `${size(used)} of memory in all`)] : rows;
}

/** Returns `120.0 MB of 512.0 MB`; empty when unknown. */
export const memoryText = ({ memoryBytes, memoryLimitBytes }: ServiceStatus): string =>
  memoryBytes === undefined
    ? ""
    : `${size(memoryBytes)}${memoryLimitBytes === undefined ? "" : ` of ${size(memoryLimitBytes)}`}`;

/** Returns `synced in 38 ms, 2 min 5 s ago` with `before` in front; empty when no edit has reached the service. */
export function lastEditText({ lastEdit }: ServiceStatus, before: string): string {
  if (lastEdit === undefined) return "";
  const { action, tookMs, at } = lastEdit;
  const ago = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  return `${before}${action} in ${duration(tookMs)}, ${wholeSeconds(ago)} ago`;
}

export function phaseStyle(phase: ServiceStatus["phase"]): "green" | "red" | "yellow" | "dim" {
  if (phase === "healthy") return "green";
  if (phase === "failed" || phase === "ended" || phase === "unhealthy") return "red";
  return phase === "stopped" ? "dim" : "yellow";
}

/** Returns what keeps services from being healthy: `api is failed, web is waiting`. */
export function blockersText(services: readonly ServiceStatus[]): string {
  const blockers = services.filter(({ phase }) => phase !== "healthy");
  if (blockers.length === 0) return `${plural(services.length, "service")} healthy`;
  return blockers.map(({ name, phase }) => `${name} is ${phase}`).join(", ");
}
