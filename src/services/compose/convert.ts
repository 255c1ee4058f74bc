/**
 * `services` and `up` of fastloop.yaml out of a compose file. Only what the file and the `.env` beside it say is taken: a variable of
 * the user's environment is theirs to give. What has no equal here is told, service by service.
 */
import path from "node:path";
import { splitWords } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";
import { yamlDocument } from "../../text/index.ts";
import { bindMount, developRules, type ComposeRules } from "./files.ts";
import { interpolated, readEnvironment, type Variables } from "./values.ts";

export interface ComposeServices {
  services: Record<string, Record<string, unknown>>;
  up: Record<string, ComposeRules>;
  /** What was left out, and which variables are not set: a sentence each. */
  notes: string[];
}

export interface ComposeOptions {
  /** Of the compose file, relative to the project; empty for its root. */
  folder: string;
  /** How the file is called in messages. */
  place: string;
  /** The text of a file of the project, relative to the compose file's folder; undefined where there is none. */
  read(file: string): string | undefined;
}

type Fields = Record<string, unknown>;

/** Throws a `UserError` where the text is no compose file. */
export function composeServices(text: string, options: ComposeOptions): ComposeServices {
  const { place } = options;
  const document = yamlDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new UserError("config", error.message, { place });
  const variables: Variables = readEnvironment(options.read(".env") ?? "");
  const unset = new Set<string>();
  const data = fields(interpolated(document.toJS(), variables, unset));
  const declared = Object.entries(fields(data["services"]));
  if (declared.length === 0)
    throw new UserError("config", "there are no services in it", { place, hint: "`--from` takes a compose file" });
  const converter = new Converter(options);
  for (const [name, service] of declared) converter.add(name, fields(service));
  converter.dropMissingNeeds();
  const missing = [...unset].map((name) => `${place}: $${name} has no value in .env: it is empty`);
  return { services: converter.services, up: converter.up, notes: [...missing, ...converter.notes] };
}

/** Keys that say how compose manages its containers: nothing that the service itself is. */
const immaterial = new Set(
  (
    "restart container_name networks labels logging hostname stdin_open tty init expose pull_policy scale " +
    "stop_grace_period stop_signal annotations attach depends_on profiles"
  ).split(" "),
);

class Converter {
  readonly services: ComposeServices["services"] = {};
  readonly up: ComposeServices["up"] = {};
  readonly notes: string[] = [];

  private readonly options: ComposeOptions;

  constructor(options: ComposeOptions) {
    this.options = options;
  }

  add(name: string, given: Fields): void {
    if (texts(given["profiles"]).length > 0) return this.note(name, "belongs to a profile, and is left out");
    const { image, build, command, entrypoint, ...others } = given;
    const service: Fields = {};
    if (build !== undefined) service["build"] = this.build(name, build);
    else service["image"] = image;
    const words = [...wordsOf(entrypoint), ...wordsOf(command)];
    if (words.length > 0) service["command"] = words;
    if (entrypoint === undefined && words.length > 0) service["useEntrypoint"] = true;
    for (const [key, value] of Object.entries(others)) this.take(name, service, key, value);
    const needs = Array.isArray(given["depends_on"])
      ? texts(given["depends_on"])
      : Object.keys(fields(given["depends_on"]));
    if (needs.length > 0) service["needs"] = needs;
    this.services[name] = service;
  }

  /** A need of a service that was left out. */
  dropMissingNeeds(): void {
    for (const service of Object.values(this.services)) {
      const needs = texts(service["needs"]).filter((need) => this.services[need] !== undefined);
      if (needs.length > 0) service["needs"] = needs;
      else delete service["needs"];
    }
  }

  private take(name: string, service: Fields, key: string, value: unknown): void {
    if (immaterial.has(key) || key.startsWith("x-") || value === null) return;
    if (key === "working_dir") service["workdir"] = value;
    else if (key === "user") service["user"] = `${String(value)}`;
    else if (key === "environment" || key === "env_file") this.environment(name, service, key, value);
    else if (key === "tmpfs") service["tmpfs"] = texts(value).map((each) => each.split(":")[0]);
    else if (key === "ports") this.ports(name, service, value);
    else if (key === "healthcheck") this.health(service, fields(value));
    else if (key === "volumes") for (const each of [value].flat()) this.volume(name, service, each);
    else if (key === "develop") this.rules(name, developRules(fields(value), this.options.folder));
    else this.note(name, `\`${key}\` is left out`);
  }

  private build(name: string, build: unknown): unknown {
    const {
      context = ".",
      dockerfile,
      target,
      args,
      ...others
    } = typeof build === "string" ? { context: build } : fields(build);
    for (const key of Object.keys(others)) this.note(name, `\`build.${key}\` is left out`);
    const folder = this.inProject(String(context));
    if (dockerfile === undefined && target === undefined && args === undefined) return folder;
    return {
      context: folder,
      ...(dockerfile === undefined ? {} : { dockerfile }),
      ...(target === undefined ? {} : { target }),
      ...(args === undefined ? {} : { args: pairsOf(args) }),
    };
  }

  private environment(name: string, service: Fields, key: string, value: unknown): void {
    const before = fields(service["env"]);
    if (key === "environment") return void (service["env"] = { ...before, ...pairsOf(value) });
    for (const each of [value].flat()) {
      const file = typeof each === "string" ? each : String(fields(each)["path"]);
      const text = this.options.read(file);
      if (text === undefined) this.note(name, `there is no ${file}`);
      // What `environment` says counts more.
      else service["env"] = { ...readEnvironment(text), ...fields(service["env"]) };
    }
  }

  private ports(name: string, service: Fields, value: unknown): void {
    const ports = [value].flat().flatMap((each) => {
      const long = fields(each);
      const text =
        long["target"] === undefined
          ? String(each)
          : `${String(long["published"] ?? long["target"])}:${String(long["target"])}/${String(long["protocol"] ?? "tcp")}`;
      const [, host, container] = /^(?:(?:.*:)?(\d+):)?(\d+)(?:\/tcp)?$/.exec(text) ?? [];
      if (container === undefined) this.note(name, `port ${text} is left out: one TCP port has a number`);
      return container === undefined
        ? []
        : [host === undefined || host === container ? Number(container) : `${host}:${container}`];
    });
    if (ports.length > 0) service["ports"] = ports;
  }

  private health(service: Fields, { test, disable }: Fields): void {
    const [first, ...words] = Array.isArray(test) ? texts(test) : ["CMD-SHELL", ...texts(test)];
    if (disable === true || first === "NONE" || words.length === 0) return;
    service["health"] = { command: first === "CMD" ? words : words.join(" ") };
  }

  private volume(name: string, service: Fields, value: unknown): void {
    const long = fields(value);
    const [source, target] =
      long["target"] === undefined
        ? shortVolume(String(value))
        : [long["source"], long["target"]].map((each) => (each === undefined ? undefined : String(each)));
    // An unnamed one keeps a mount from hiding what the image has: nothing hides it here.
    if (target === undefined || source === undefined) return;
    if (long["type"] === "tmpfs") return void (service["tmpfs"] = [...texts(service["tmpfs"]), target]);
    if (/^[A-Za-z0-9][\w.-]*$/.test(source))
      return void (service["volumes"] = { ...fields(service["volumes"]), [source]: target });
    if (path.isAbsolute(source) || source.startsWith("~") || this.inProject(source).startsWith(".."))
      return this.note(name, `${source} is not mounted: it is outside of the project`);
    const mount = bindMount(this.inProject(source), target, service);
    if (mount.rules !== undefined) this.rules(name, mount.rules);
    if (mount.note !== undefined) this.note(name, mount.note);
    Object.assign(service, mount.service);
  }

  private rules(name: string, more: ComposeRules): void {
    const rules = (this.up[name] ??= {});
    for (const key of ["sync", "restart", "rebuild"] as const)
      if (more[key] !== undefined) Object.assign(rules, { [key]: [...(rules[key] ?? []), ...more[key]] });
  }

  private inProject(file: string): string {
    const joined = path.posix.normalize(path.posix.join(this.options.folder, file));
    return joined.replace(/\/$/, "");
  }

  private note(name: string, text: string): void {
    this.notes.push(`${this.options.place}: ${name}: ${text}`);
  }
}

function shortVolume(text: string): [string | undefined, string | undefined] {
  const [first, second] = text.split(":");
  return second === undefined ? [undefined, first] : [first, second];
}

/** A command as compose reads it: words, without a shell. */
function wordsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? (splitWords(value) ?? [value]) : [];
}

function pairsOf(value: unknown): Record<string, string> {
  if (!Array.isArray(value))
    return Object.fromEntries(
      Object.entries(fields(value)).map(([name, each]) => [name, each === null ? "" : String(each)]),
    );
  return Object.fromEntries(
    value.map((each) => {
      const [name = "", ...rest] = String(each).split("=");
      return [name, rest.join("=")];
    }),
  );
}

const texts = (value: unknown): string[] => [value].flat().filter((each): each is string => typeof each === "string");

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
