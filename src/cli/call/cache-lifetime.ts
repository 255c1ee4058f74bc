/** Decides whether a call's result may be cached, and for how long. */
import type { GivenValue, ParsedCall } from "../../call/index.ts";

/** Default for functions without a cache policy. */
const weekMs = 7 * 24 * 3600 * 1000;

/** Core types whose fields only read or describe: nothing outside of the result depends on running them. */
const pureTypes = new Set(["Container", "Directory", "File", "EnvVariable", "Label", "Port", "Stat", "Changeset"]);
/** Fields of these types that have effects, or that are called in order to run something. */
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

/** Returns for how many milliseconds the result may be kept; undefined when the functions have to run each time. */
export function cacheLifetimeMs(call: ParsedCall): number | undefined {
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

/**
 * Reports whether the result is more than an object of the session (a service, a socket), which means nothing in the
 * next one.
 */
function endsWell({ returns, core }: ParsedCall): boolean {
  const type = returns.kind === "list" ? returns.of : returns;
  return type.kind !== "object" || core.length === 0 || pureTypes.has(type.name);
}

/** Images by tag, git references and running services change without any change of a local file. */
function isRepeatable(value: GivenValue): boolean {
  if (value.kind === "list") return value.items.every(isRepeatable);
  return (
    !["container", "git", "service", "socket"].includes(value.kind) &&
    !(value.kind === "secret" && value.scheme === "cmd")
  );
}

/** Returns the milliseconds of a Go duration (`1h30m`); undefined for `never` and `session`. */
export function durationMs(text: string): number | undefined {
  const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
}
