/**
 * Converts a compose file to `services` and `up` of fastloop.yaml. Variables come only from the file and the `.env`
 * beside it, never from the user's environment. Anything without an equivalent is reported, per service.
 */
import { splitWords } from "../../call/index.ts";
import type { UpServiceConfig } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import { yamlDocument } from "../../text/index.ts";
import { developRules, inProject, type ComposeFolder, type ComposeRules } from "./files.ts";
import { composeFile, type ComposeService } from "./schema.ts";
import { interpolated, readEnvironment } from "./values.ts";

export interface ComposeServices {
  services: Record<string, UpServiceConfig>;
  up: Record<string, ComposeRules>;
  /** What was left out and which variables have no value, one sentence each. */
  notes: string[];
}

export interface ComposeOptions extends ComposeFolder {
  /** Name of the file in messages. */
  place: string;
  /** Returns the text of a project file, relative to the compose file's folder; undefined when there is none. */
  read(file: string): string | undefined;
}

/** Converts a compose file. Throws a `UserError` when the text is not a valid compose file. */
export function composeServices(text: string, options: ComposeOptions): ComposeServices {
  const { place } = options;
  const unset = new Set<string>();
  const result = composeFile.safeParse(
    interpolated(parsed(text, place), readEnvironment(options.read(".env") ?? ""), unset),
  );
  const [issue] = result.error?.issues ?? [];
  if (result.data === undefined)
    throw new UserError("config", issue?.message ?? "is not valid", {
      place: [place, issue?.path.join(".")].filter((each) => each !== "").join(": "),
      hint: "`--from` takes a compose file",
    });
  const converter = new Converter(options);
  for (const [name, service] of Object.entries(result.data.services)) converter.add(name, service);
  converter.dropMissingNeeds();
  const missing = [...unset].map((name) => `${place}: $${name} has no value in .env: it is empty`);
  return { services: converter.services, up: converter.up, notes: [...missing, ...converter.notes] };
}

function parsed(text: string, place: string): unknown {
  const document = yamlDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new UserError("config", error.message.slice(0, 200), { place });
  try {
    // The round trip through JSON rejects cycles and drops everything that is not plain data.
    return JSON.parse(JSON.stringify(document.toJS())) as unknown;
  } catch (cause) {
    throw new UserError("config", "its aliases can't be resolved", { place, cause });
  }
}

/** Keys that are converted, and keys that only say how compose manages its containers; neither needs a note. */
const known = new Set(
  (
    "image build command entrypoint environment env_file working_dir user ports volumes tmpfs depends_on profiles " +
    "healthcheck develop restart container_name networks labels logging hostname stdin_open tty init expose pull_policy " +
    "scale stop_grace_period stop_signal annotations attach mem_limit deploy"
  ).split(" "),
);

class Converter {
  readonly services: ComposeServices["services"] = {};
  readonly up: ComposeServices["up"] = {};
  readonly notes: string[] = [];
  private readonly ofProfiles: string[] = [];
  private readonly options: ComposeOptions;

  constructor(options: ComposeOptions) {
    this.options = options;
  }

  add(name: string, given: ComposeService): void {
    if ((given.profiles ?? []).length > 0) {
      this.ofProfiles.push(name);
      return;
    }
    for (const key of Object.keys(given))
      if (!known.has(key) && !key.startsWith("x-")) this.note(name, `\`${key}\` is left out`);
    const service: UpServiceConfig = {};
    if (given.build !== undefined) service.build = this.build(name, given.build);
    else if (given.image !== undefined) service.image = given.image;
    const words = [...wordsOf(given.entrypoint), ...wordsOf(given.command)];
    if (words.length > 0) service.command = words;
    if (words.length > 0 && wordsOf(given.entrypoint).length === 0) service.useEntrypoint = true;
    if (given.working_dir !== undefined) service.workdir = given.working_dir;
    if (given.user !== undefined) service.user = given.user;
    const env = this.environment(name, given);
    if (Object.keys(env).length > 0) service.env = env;
    const ports = (given.ports ?? []).flatMap((port) => this.port(name, port));
    if (ports.length > 0) service.ports = ports;
    const health = healthOf(given.healthcheck ?? {});
    if (health !== undefined) service.health = health;
    const memory = given.mem_limit ?? given.deploy?.resources?.limits?.memory;
    if (memory !== undefined) this.memory(name, service, memory);
    const tmpfs = (given.tmpfs ?? []).map((each) => each.split(":")[0]!);
    if (tmpfs.length > 0) service.tmpfs = tmpfs;
    for (const volume of given.volumes ?? []) this.volume(name, service, volume);
    const { depends_on: needs = [] } = given;
    if (needs !== null) service.needs = Array.isArray(needs) ? needs : Object.keys(needs);
    const rules = developRules(given.develop?.watch, this.options);
    if (Object.keys(rules).length > 0) this.up[name] = rules;
    this.services[name] = service;
  }

  /** Removes needs of services that were left out, and says which those are. */
  dropMissingNeeds(): void {
    const [only] = this.ofProfiles;
    if (only !== undefined && this.ofProfiles.length === 1) this.note(only, "belongs to a profile, and is left out");
    else if (only !== undefined) this.note(this.ofProfiles.join(", "), "belong to profiles, and are left out");
    for (const service of Object.values(this.services)) {
      const needs = (service.needs ?? []).filter((need) => Object.hasOwn(this.services, need));
      if (needs.length > 0) service.needs = needs;
      else delete service.needs;
    }
  }

  private build(name: string, given: NonNullable<ComposeService["build"]>): UpServiceConfig["build"] {
    const {
      context = ".",
      dockerfile,
      target,
      args,
      ...others
    } = typeof given === "string" ? { context: given } : given;
    for (const key of Object.keys(others)) this.note(name, `\`build.${key}\` is left out`);
    const folder = inProject(context, this.options);
    if (folder === undefined)
      throw new UserError("config", `${context} is outside the project`, {
        place: `${this.options.place}: services.${name}.build`,
      });
    const plain = folder === "./" ? "." : folder.replace(/\/$/, "");
    if (dockerfile === undefined && target === undefined && args === undefined) return plain;
    return {
      context: plain,
      ...(dockerfile === undefined ? {} : { dockerfile }),
      ...(target === undefined ? {} : { target }),
      ...(args === undefined ? {} : { args: this.given(name, "build.args", args) }),
    };
  }

  /** Later files override earlier ones, and `environment` overrides all files. */
  private environment(name: string, { environment, env_file: files }: ComposeService): Record<string, string> {
    const env: Record<string, string> = {};
    for (const each of [files ?? []].flat()) {
      const file = typeof each === "string" ? each : each.path;
      const text = this.options.read(file);
      if (text === undefined) this.note(name, `there is no ${file} in the project`);
      else Object.assign(env, readEnvironment(text));
    }
    return Object.assign(env, this.given(name, "environment", environment ?? {}));
  }

  private given(name: string, key: string, pairs: Record<string, string | undefined>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(pairs).flatMap(([variable, value]) => {
        if (value === undefined) this.note(name, `\`${key}\`: ${variable} has no value in the file, and is left out`);
        return value === undefined ? [] : [[variable, value]];
      }),
    );
  }

  private port(name: string, given: NonNullable<NonNullable<ComposeService["ports"]>[number]>): (number | string)[] {
    const text =
      typeof given === "string"
        ? given
        : `${given.published ?? given.target}:${given.target}/${given.protocol ?? "tcp"}`;
    const [, host, container] = /^(?:(?:.*:)?(\d+):)?(\d+)(?:\/tcp)?$/.exec(text) ?? [];
    if (container === undefined) this.note(name, `port ${text} is left out: one TCP port has a number`);
    if (container === undefined) return [];
    return [host === undefined || host === container ? Number(container) : `${host}:${container}`];
  }

  private memory(name: string, service: UpServiceConfig, given: string): void {
    const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(given) ?? [];
    if (number === undefined) return this.note(name, `memory of ${given} is left out: that is no size`);
    service.memory = `${number}${unit === "" ? "" : `${unit.toUpperCase()}i`}B`;
  }

  private volume(name: string, service: UpServiceConfig, given: NonNullable<ComposeService["volumes"]>[number]): void {
    const { type, source, target } = typeof given === "string" ? shortVolume(given) : given;
    if (type === "tmpfs") return void (service.tmpfs = [...(service.tmpfs ?? []), target]);
    // An anonymous volume keeps a mount from hiding files of the image. No mount does that here, so it is dropped.
    if (source === undefined) return;
    if (type !== "bind" && /^[A-Za-z0-9][\w.-]*$/.test(source))
      return void (service.volumes = { ...service.volumes, [source]: target });
    const from = inProject(source, this.options);
    if (from === undefined) return this.note(name, `${source} is not mounted: it is outside the project`);
    service.mounts = { ...service.mounts, [from]: target };
  }

  private note(name: string, text: string): void {
    this.notes.push(`${this.options.place}: ${name}: ${text}`);
  }
}

function healthOf({ test = [], disable }: NonNullable<ComposeService["healthcheck"]>): UpServiceConfig["health"] {
  const [first, ...words] = typeof test === "string" ? ["CMD-SHELL", test] : test;
  if (disable === true || first === "NONE" || words.length === 0) return undefined;
  return { command: first === "CMD" ? words : words.join(" ") };
}

function shortVolume(text: string): { type?: string; source?: string; target: string } {
  const [first = "", second] = text.split(":");
  if (second === undefined) return { target: first };
  return { source: first, target: second, ...(/^[./~]/.test(first) ? { type: "bind" } : {}) };
}

const wordsOf = (given: string | string[] | null | undefined): string[] =>
  typeof given === "string" ? (splitWords(given) ?? [given]) : (given ?? []);
