/** `fastloop up --local api=8080 -- COMMAND`: determines which services a host process stands in for. */
import path from "node:path";
import type { LoadedConfig } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import type { DeclaredService } from "../../services/index.ts";
import { shellWord } from "../../text/index.ts";

/** A stand-in as the command line describes it. */
export interface WantedStandIn {
  name: string;
  port: number;
  container: number | undefined;
  command: string | undefined;
}

/**
 * Parses `api=8080`, or `api=9000:8080` for the service's port 8080. A command needs exactly one of them. Throws for
 * anything else.
 */
export function wantedStandIns(words: readonly string[], command: readonly string[]): WantedStandIn[] {
  const place = "--local";
  if (command.length > 0 && words.length !== 1)
    throw new UserError("usage", "a command after `--` replaces only one service", {
      place: command.join(" "),
      hint: "fastloop up --local api=8080 -- npm run dev",
    });
  return words.map((word) => {
    const [, name = "", host = "", container] = /^([^=]+)=(\d{1,5})(?::(\d{1,5}))?$/.exec(word) ?? [];
    const ports = [host, container ?? host].map(Number);
    if (!ports.every((port) => port >= 1 && port <= 65_535))
      throw new UserError("usage", `\`${word}\` names no service and port`, { place, hint: "e.g. --local api=8080" });
    return {
      name,
      port: ports[0]!,
      container: container === undefined ? undefined : ports[1],
      command: command.length === 0 ? undefined : command.map(shellWord).join(" "),
    };
  });
}

/**
 * Returns the services with their stand-ins. `cwd` is the folder where the command was called. Throws for an unknown
 * service.
 */
export function withStandIns(
  services: readonly DeclaredService[],
  wanted: readonly WantedStandIn[],
  { config: { services: described = {} }, root }: Pick<LoadedConfig, "config" | "root">,
  cwd: string,
): DeclaredService[] {
  for (const { name } of wanted) {
    const service = services.find((each) => each.name === name);
    if (service !== undefined && service.source.kind !== "local") continue;
    const why = service === undefined ? "is no service that is asked for" : "is a process of this machine already";
    const names = services.filter(({ source }) => source.kind !== "local").map((each) => each.name);
    throw new UserError("usage", `\`${name}\` ${why}`, { place: "--local", hint: `services: ${names.join(", ")}` });
  }
  return services.map((service) => {
    const found = wanted.find(({ name }) => name === service.name);
    if (found === undefined) return service;
    const { port, container, command } = found;
    const env = { ...described[service.name]?.env };
    return { ...service, standIn: { port, container, command, cwd: path.relative(root, cwd), env } };
  });
}
