/** The digest under which a call's result may be kept, and whether it may be kept at all. */
import { createHash, createHmac } from "node:crypto";
import { statSync } from "node:fs";
import path from "node:path";
import {
  secretText,
  valueOf,
  type CoreStep,
  type FieldStep,
  type GivenValue,
  type OwnStep,
  type ParsedCall,
} from "../../call/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import {
  contentDigest,
  contentKey,
  listTree,
  statEntry,
  type ContentHasher,
  type StatAhead,
} from "../../tree/index.ts";
import type { ArgumentInfo } from "../../module/index.ts";

export interface KeyContext {
  module: ModuleInfo;
  hasher: ContentHasher;
  /** Has looked at files of large directories already. */
  ahead: ReadonlyMap<string, StatAhead> | undefined;
  /** The project's own random key: hashes of secrets are worth nothing elsewhere. */
  secretKey: Uint8Array;
  /** Which engine would answer. */
  engine: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/** All that decides a call's result. */
interface CallKey {
  /** Moves when this list changes its meaning. */
  format: 1;
  /** The functions' own code. */
  module: string;
  engine: string;
  /** Object, function and arguments of each step of the module; inputs by content, secrets by keyed hash. */
  own: unknown[];
  /** Fields of the core API and their arguments. */
  core: unknown[];
}

/** SHA-256 of everything that decides the result. */
export async function callKey(call: ParsedCall, context: KeyContext): Promise<string> {
  const key: CallKey = {
    format: 1,
    module: context.module.digest,
    engine: context.engine,
    own: await Promise.all(call.own.map((step) => ownStepKey(step, context))),
    core: await Promise.all(call.core.map((step) => coreStepKey(step, context))),
  };
  return createHash("sha256").update(JSON.stringify(key)).digest("hex");
}

async function ownStepKey(step: OwnStep | FieldStep, context: KeyContext): Promise<unknown> {
  if (step.kind === "field") return step.name;
  const args = await Promise.all(
    step.fn.arguments.map(async (argument) => {
      const value = valueOf(argument, step.given, context.module);
      return value === undefined ? null : [argument.name, await valueKey(value, argument, context)];
    }),
  );
  return [step.object, step.fn.name, args];
}

async function coreStepKey({ fn, given }: CoreStep, context: KeyContext): Promise<unknown> {
  const args = given.map(async ({ argument, value }) => [argument.name, await valueKey(value, argument, context)]);
  return [fn.name, await Promise.all(args)];
}

async function valueKey(value: GivenValue, argument: ArgumentInfo, context: KeyContext): Promise<unknown> {
  switch (value.kind) {
    case "list":
      return Promise.all(value.items.map((item) => valueKey(item, argument, context)));
    case "directory":
      if (statSync(value.path, { throwIfNoEntry: false })?.isDirectory() !== true) return "missing";
      return [
        "directory",
        contentDigest(listTree(value.path, { exclude: argument.ignore ?? [] }, context.ahead), context.hasher),
      ];
    case "file": {
      const folder = path.dirname(value.path);
      const entry = statEntry(folder, path.basename(value.path));
      return entry === undefined ? "missing" : ["file", entry.path, contentKey(folder, entry, context.hasher)];
    }
    case "secret":
      return [
        "secret",
        createHmac("sha256", context.secretKey)
          .update(await secretText(value, argument, context))
          .digest("hex"),
      ];
    default:
      return value;
  }
}

/** The default of a function without a policy of its own. */
const weekMs = 7 * 24 * 3600 * 1000;

/** Core types whose fields only read or describe: nothing outside the result depends on their having run. */
const pureTypes = new Set(["Container", "Directory", "File", "EnvVariable", "Label", "Port", "Stat", "Changeset"]);
/** Fields of these types that do something, or whose point is that they run. */
const effects = new Set([
  "export",
  "exportImage",
  "publish",
  "up",
  "terminal",
  "sync",
  "asService",
  "withServiceBinding",
]);

/** For how long the result may be kept; undefined when the functions have to run each time. */
export function keepMs(call: ParsedCall): number | undefined {
  if (call.noCache || call.output !== undefined) return undefined;
  const functions = call.own.filter((step) => step.kind === "function");
  const values = [...functions, ...call.core].flatMap((step) => step.given.map((given) => given.value));
  if (!values.every(isRepeatable)) return undefined;
  if (call.core.some((step) => !pureTypes.has(step.type) || effects.has(step.fn.name))) return undefined;
  if (!endsWell(call)) return undefined;
  let shortest = weekMs;
  for (const { fn } of functions) {
    if (fn.arguments.some((argument) => argument.defaultAddress !== undefined)) return undefined;
    const policy = fn.cache === undefined ? weekMs : durationMs(fn.cache);
    if (policy === undefined) return undefined;
    shortest = Math.min(shortest, policy);
  }
  return shortest > 0 ? shortest : undefined;
}

/** An object that lives in a session (a service, a socket) means nothing in the next one. */
function endsWell({ returns, core }: ParsedCall): boolean {
  const type = returns.kind === "list" ? returns.of : returns;
  return type.kind !== "object" || core.length === 0 || pureTypes.has(type.name);
}

/** Images by tag, git references and running services change without any file of ours changing. */
function isRepeatable(value: GivenValue): boolean {
  if (value.kind === "list") return value.items.every(isRepeatable);
  return (
    !["container", "git", "service", "socket"].includes(value.kind) &&
    !(value.kind === "secret" && value.scheme === "cmd")
  );
}

/** A Go duration (`1h30m`); undefined for `never` and `session`. */
export function durationMs(text: string): number | undefined {
  const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
}
