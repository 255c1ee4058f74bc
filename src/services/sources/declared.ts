/** Determines which services a project has, which of them are selected, and their start order. */
import path from "node:path";
import { isNamedBy, markedFunctions, splitWords, type MarkedFunction } from "../../call/index.ts";
import {
  durationMs,
  portMappings,
  sizeBytes,
  suggest,
  type LoadedConfig,
  type UpServiceConfig,
} from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import type { DeclaredService, HealthRule } from "../types.ts";

const defaultStartMs = 120_000;

type Ports = Parameters<typeof portMappings>[0];
type Health = NonNullable<LoadedConfig["config"]["up"]>[string]["health"];

/**
 * Returns `services` of fastloop.yaml, then the `@up()` functions of the module and its toolchains, then `local`.
 * Throws for a duplicate name and for an `up` entry without a service.
 */
export function declaredServices(config: LoadedConfig, module: ModuleInfo | undefined): DeclaredService[] {
  const { services = {}, up = {} } = config.config;
  const file = path.basename(config.path ?? "fastloop.yaml");
  const configured = Object.entries(services).map(([name, service]): DeclaredService => {
    const place = `${file}: services.${name}`;
    const source = service.function === undefined ? { kind: "configured" as const } : callOf(service.function, place);
    const given = up[name]?.ports ?? service.ports;
    return {
      name,
      source,
      needs: service.needs ?? [],
      ...seen(given, up[name]?.health ?? service.health, up[name]?.memory ?? service.memory),
      ...kindOf(service),
      place,
      description: source.kind === "call" ? describedCall(source.words, module) : described(service, config),
    };
  });
  const functions = upFunctions(module).map(({ name, fullName, words, fn }): DeclaredService => {
    const place = fn.place ?? module?.root ?? "";
    if (services[name] !== undefined)
      throw new UserError("config", `there are two services \`${name}\`: this one and an @up() function (${place})`, {
        place: `${file}: services.${name}`,
        hint: "rename one of them; set options of the function's service under `up`",
      });
    return {
      name,
      fullName,
      summary: fn.description,
      source: { kind: "call", words },
      needs: [],
      ...seen(up[name]?.ports ?? portsOf(fullName, module), up[name]?.health, up[name]?.memory),
      ...kindOf({}),
      place,
      description: describedCall(words, module),
    };
  });
  const declared = [...configured, ...functions, ...localServices(config)];
  for (const name of Object.keys(up)) {
    if (declared.some((service) => service.name === name)) continue;
    throw unknownService(name, declared, `${file}: up.${name}`);
  }
  return declared;
}

/** Returns the port mappings of dagger.toml for a service. */
function portsOf(fullName: string, module: ModuleInfo | undefined): Ports {
  const ports = module?.ports?.filter(({ service }) => service === fullName) ?? [];
  return ports.length === 0 ? undefined : ports.map(({ host, port }) => `${host}:${port}`);
}

/**
 * Ports and health are part of the description here: the process listens on the host itself, so a change restarts it.
 */
function localServices({ config, path: file }: LoadedConfig): DeclaredService[] {
  return Object.entries(config.local ?? {}).map(([name, local]): DeclaredService => {
    const { run, serve, cwd = ".", env = {}, needs = [], inputs: _inputs, ports, health } = local;
    return {
      name,
      source: { kind: "local", run, serve, cwd, env },
      needs,
      ports: portMappings(ports),
      health: { ...healthOf(health), host: "localhost" },
      memoryBytes: undefined,
      exclusive: true,
      reloads: false,
      place: `${path.basename(file ?? "fastloop.yaml")}: local.${name}`,
      description: JSON.stringify([run, serve, cwd, env, ports, health]),
    };
  });
}

/**
 * Shifts the ports of host processes for a second checkout: they are told to listen that many ports higher, and probed
 * there.
 */
export const withPortOffset = (services: readonly DeclaredService[], offset: number): DeclaredService[] =>
  services.map((service) => {
    const { source, ports, health } = service;
    if (source.kind !== "local" || offset === 0) return service;
    const moved = (ports ?? []).map(({ host }) => ({ host: host + offset, container: host + offset }));
    return { ...service, ports: moved, health: { ...health, ...(health.port && { port: health.port + offset }) } };
  });

/** Commands that watch files by themselves; for some of them this can't be seen from outside. */
const reloaders =
  /--watch\b|--reload\b|--debug\b|\b(watch|nodemon|vite|webpack|next dev|flask|runserver|air|watchexec)\b/;

function kindOf({
  volumes,
  command = [],
}: Pick<UpServiceConfig, "volumes" | "command">): Pick<DeclaredService, "exclusive" | "reloads"> {
  const words = typeof command === "string" ? command : command.join(" ");
  return { exclusive: Object.keys(volumes ?? {}).length > 0, reloads: reloaders.test(words) };
}

/**
 * Leaves out how the service is reached from outside (host ports, HTTP health check, memory): that does not change its
 * container.
 */
function described(service: UpServiceConfig, { config }: LoadedConfig): string {
  const { image = "", health, ports, memory: _memory, ...rest } = service;
  const command = typeof health === "object" && health.command !== undefined ? health : undefined;
  const exposed = portMappings(ports).map(({ container }) => container);
  const isOfProject = ["base", "dev", "prod"].includes(image);
  const project = isOfProject ? [config.name, config.images] : [];
  return JSON.stringify([image, rest, command, exposed, ...project]);
}

const describedCall = (words: readonly string[], module: ModuleInfo | undefined): string =>
  JSON.stringify([words, module?.digest]);

function callOf(call: string, place: string): DeclaredService["source"] {
  const words = splitWords(call);
  if (words === undefined) throw new UserError("config", "a quote in this call is not closed", { place });
  return { kind: "call", words };
}

function seen(
  ports: Ports,
  health: Health,
  memory: string | undefined,
): Pick<DeclaredService, "ports" | "health" | "memoryBytes"> {
  return {
    ports: ports === undefined ? undefined : portMappings(ports),
    health: healthOf(health),
    memoryBytes: memory === undefined ? undefined : sizeBytes(memory),
  };
}

function healthOf(health: Health): HealthRule {
  if (typeof health === "string") return { path: health, timeoutMs: defaultStartMs };
  const { http, port, timeout } = health ?? {};
  return {
    ...(http === undefined ? {} : { path: http }),
    ...(port === undefined ? {} : { port }),
    timeoutMs: timeout === undefined ? defaultStartMs : durationMs(timeout),
  };
}

/**
 * Returns the functions of the main object and of toolchains that `dagger up` starts. Throws for one that does not
 * return a Service, or that needs an argument.
 */
function upFunctions(module: ModuleInfo | undefined): MarkedFunction[] {
  const functions = module === undefined ? [] : markedFunctions(module, "isUp");
  for (const { fn } of functions) {
    const { returns, place } = fn;
    if (returns.kind !== "object" || returns.name !== "Service")
      throw new UserError("module", `@up() function \`${fn.name}\` must return a Service`, { place });
    const needed = fn.arguments.find(({ optional, defaultPath, defaultAddress, defaultValue }) =>
      optional ? false : [defaultPath, defaultAddress, defaultValue].every((value) => value === undefined),
    );
    if (needed !== undefined)
      throw new UserError("module", `@up() function \`${fn.name}\` must be callable without arguments`, {
        place,
        hint: `give \`${needed.name}\` a default`,
      });
  }
  return functions;
}

/**
 * Returns the services that match the names or patterns (none: all services) and everything they need, needs first.
 * Throws for an unknown name.
 */
export function selectServices(declared: readonly DeclaredService[], names: readonly string[]): DeclaredService[] {
  if (declared.length === 0)
    throw new UserError("config", "there are no services", {
      place: "fastloop up",
      hint: "describe them under `services` in fastloop.yaml, or mark functions of the module with @up()",
    });
  const chosen = new Set<DeclaredService>();
  const take = (name: string): void => {
    const service = declared.find((candidate) => candidate.name === name);
    if (service === undefined) throw unknownService(name, declared, name);
    if (chosen.has(service)) return;
    for (const need of service.needs) take(need);
    chosen.add(service);
  };
  const named = (name: string): string[] => {
    const isNamed = (service: DeclaredService): boolean =>
      isNamedBy(name, service.name) || isNamedBy(name, service.fullName ?? service.name);
    const found = declared.filter(isNamed).map((service) => service.name);
    return found.length === 0 ? [name] : found;
  };
  for (const name of names.length > 0 ? names.flatMap(named) : declared.map((service) => service.name)) take(name);
  return [...chosen];
}

function unknownService(name: string, declared: readonly DeclaredService[], place: string): UserError {
  const names = declared.map((service) => service.name);
  const meant = suggest(name, names);
  const hint = meant === undefined ? `services: ${names.join(", ")}` : `did you mean \`${meant}\`?`;
  return new UserError("usage", `there is no service \`${name}\``, { place, hint });
}

/** Returns the named services and all that need them, directly or not, in the given order: needs come first. */
export function withDependents(ordered: readonly DeclaredService[], names: readonly string[]): DeclaredService[] {
  const affected = new Set(names);
  return ordered.filter(({ name, needs }) => {
    if (needs.some((need) => affected.has(need))) affected.add(name);
    return affected.has(name);
  });
}
