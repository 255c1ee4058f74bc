import type { Place, ServiceStatus } from "../../services/index.ts";
import { printable, printableLines } from "../../text/index.ts";
import { endOf } from "../source.ts";
import type { PageNode, Tone } from "../types.ts";

/** Returns a service as a node of the page. */
export function serviceNode(status: ServiceStatus, lastEdit?: string): PageNode {
  const { name, phase, needs, ports, since, reason, startedInMs, place } = status;
  const places = ports.map(({ host }) => `127.0.0.1:${host}`).join(", ");
  const detail = reason?.split("\n")[0] ?? lastEdit ?? places;
  const tone = toneOf(phase);
  return {
    id: name,
    kind: "service",
    name: printable(name),
    needs: [...needs],
    state: place === "local" ? `${phase}, local` : phase,
    tone,
    ...(detail === "" ? {} : { detail: printable(detail) }),
    ...(reason === undefined ? {} : { failure: printableLines(endOf(reason)) }),
    ...(tone === "busy" ? { sinceMs: Date.parse(since) } : { endedMs: Date.parse(since) }),
    ...(startedInMs === undefined ? {} : { tookMs: startedInMs }),
    ...(ports.length === 0 ? {} : { ports: ports.map(({ host }) => host) }),
    can: ["restart", ...otherPlace(place)],
  };
}

const otherPlace = (place: Place | undefined): ("local" | "container")[] =>
  place === undefined ? [] : [place === "local" ? "container" : "local"];

export function toneOf(phase: ServiceStatus["phase"]): Tone {
  if (phase === "healthy") return "good";
  if (phase === "failed" || phase === "ended" || phase === "unhealthy") return "bad";
  if (phase === "waiting") return "waiting";
  return phase === "stopped" ? "idle" : "busy";
}
