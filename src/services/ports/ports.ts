/** Decides which host ports services need, and takes all of them before anything is built. */
import type { PortMapping } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import { Front } from "./front.ts";
import { portHolder } from "./holder.ts";
import { projectOfProcess } from "../control/place.ts";
import type { DeclaredService } from "../types.ts";

export interface WantedPort extends PortMapping {
  service: string;
  /** A process of the user's has the port at first, so that it is not taken at the start. */
  isLeft?: boolean;
}

/**
 * Returns the number added to every host port, so that a second checkout can be up. Throws for an invalid
 * FASTLOOP_PORT_OFFSET.
 */
export function portOffset(env: NodeJS.ProcessEnv): number {
  const text = env["FASTLOOP_PORT_OFFSET"] ?? "";
  if (text === "") return 0;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 60_000) return Number(text);
  throw new UserError("usage", `not a number of ports: ${text}`, { place: "FASTLOOP_PORT_OFFSET", hint: "e.g. 100" });
}

/**
 * Returns the host ports of a service whose container exposes `exposed`. Throws when a mapping names a port that is not
 * exposed.
 */
export function wantedPorts(
  { name, ports, source, standIn }: DeclaredService,
  exposed: readonly number[],
  offset: number,
): WantedPort[] {
  // A local process listens on its ports itself.
  if (source.kind === "local") return [];
  const mapped = ports ?? exposed.map((port) => ({ host: port, container: port }));
  const missing = mapped.find(({ container }) => !exposed.includes(container));
  if (missing !== undefined)
    throw new UserError("config", `service \`${name}\` does not expose port ${missing.container}`, {
      place: `up.${name}.ports`,
      hint: exposed.length === 0 ? "withExposedPort exposes one" : `it exposes ${exposed.join(", ")}`,
    });
  return mapped.map(({ host: port, container }) => {
    const host = port + offset;
    return { service: name, host, container, isLeft: host === standIn?.port };
  });
}

/**
 * Takes all ports or none. Throws an error that names each port that can't be taken, and the process that has it. Ports
 * in `held` are reused.
 */
export async function openFronts(
  wanted: readonly WantedPort[],
  held: ReadonlyMap<number, Front> = new Map(),
): Promise<Map<WantedPort, Front>> {
  const twice = wanted.filter(({ host }, index) => wanted.findIndex((other) => other.host === host) !== index);
  if (twice.length > 0)
    throw portsTaken(
      twice.map((port) => ({ port, why: sharedWith(port, wanted) })),
      wanted,
    );
  const fronts = new Map<WantedPort, Front>();
  const problems: { port: WantedPort; why: string }[] = [];
  for (const port of wanted) {
    try {
      if (port.host > 65_535) throw new Error("there is no such port");
      fronts.set(
        port,
        held.get(port.host) ?? (port.isLeft === true ? Front.left(port.host) : await Front.open(port.host)),
      );
    } catch (error) {
      problems.push({ port, why: reasonOf(error as NodeJS.ErrnoException, port.host) });
    }
  }
  if (problems.length === 0) return fronts;
  for (const front of fronts.values()) if (held.get(front.port) !== front) front.close();
  throw portsTaken(problems, wanted, await freePort(problems[0]!.port.host, wanted));
}

function sharedWith({ host, service }: WantedPort, wanted: readonly WantedPort[]): string {
  return `\`${wanted.find((other) => other.host === host && other.service !== service)?.service ?? service}\` has it, too`;
}

function reasonOf({ code, message }: NodeJS.ErrnoException, port: number): string {
  if (code === "EACCES") return "it needs privileges";
  if (code !== "EADDRINUSE") return message;
  const holder = portHolder(port);
  if (holder === undefined) return "another program has it";
  const project = projectOfProcess(holder.pid);
  const who = project === undefined ? holder.command : `fastloop up of ${project}`;
  return `process ${holder.pid} has it: ${who}`;
}

function portsTaken(
  problems: readonly { port: WantedPort; why: string }[],
  wanted: readonly WantedPort[],
  free?: number,
): UserError {
  const line = ({ port, why }: { port: WantedPort; why: string }): string =>
    `port ${port.host} of \`${port.service}\` is not available: ${why}`;
  const [first, ...others] = problems;
  const { container, service } = first!.port;
  const example = free ?? Math.max(...wanted.map(({ host }) => host)) + 1;
  return new UserError("usage", line(first!), {
    place: "fastloop up",
    detail: others.map(line).join("\n"),
    hint: `end it, or write another number into fastloop.yaml: up: { ${service}: { ports: "${example}:${container}" } }`,
  });
}

/** Returns the next port that is free and that no service wants. */
async function freePort(after: number, wanted: readonly WantedPort[]): Promise<number | undefined> {
  for (let port = after + 1; port < Math.min(after + 200, 65_536); port++) {
    if (wanted.some(({ host }) => host === port)) continue;
    try {
      (await Front.open(port)).close();
      return port;
    } catch {
      // Taken as well.
    }
  }
  return undefined;
}
