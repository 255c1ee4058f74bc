/** Finds out whether functions and services need anything that is missing, by running them and reading their errors. */
import { spawn } from "node:child_process";
import process from "node:process";
import { UserError } from "../../errors/index.ts";
import { plainReporter, plural } from "../../report/index.ts";
import { Loop, type FinishedNotice } from "../../run/index.ts";
import type { CliContext } from "../context.ts";
import { loopOptions, stopOnSignal } from "../loop-options.ts";
import type { Part } from "./parts.ts";

export interface TrialOptions {
  context: CliContext;
  configFile: string | undefined;
  /** Whether to run without the network; otherwise running them fetches what they need. */
  offline: boolean;
}

/** Runs every function of the loop, current or not; what the engine has cached is not executed again. */
export async function tryFunctions({ context, configFile, offline }: TrialOptions): Promise<Part[]> {
  const command = `fastloop offline ${offline ? "check" : "prepare"}`;
  const flags = { ...(configFile === undefined ? {} : { config: configFile }), offline };
  const loop = new Loop({ ...loopOptions(context, flags, command, []), writesCaches: false, force: true });
  const release = stopOnSignal(context, loop);
  const { cwd, options } = context;
  if (!options.json) {
    const write = (line: string): void => context.notice(line);
    loop.on(plainReporter({ write, colors: context.colors("stderr"), verbose: options.verbose, cwd }));
  }
  try {
    const { results, blocked } = await loop.runAll();
    context.signal.throwIfAborted();
    const parts = [...results.values()].map(functionPart);
    // A blocked function did not run, so it is unknown whether anything of its own is missing.
    for (const name of blocked)
      if (!results.has(name)) parts.push({ kind: "function", name, missing: "what it needs did not pass" });
    return parts;
  } finally {
    release();
    await loop.stop();
  }
}

function functionPart({ name, outcome, error, steps }: FinishedNotice): Part {
  const text = [error?.message ?? "", error?.detail ?? "", error?.place ?? ""].join("\n");
  if (error !== undefined && text.includes("--offline"))
    return { kind: "function", name, missing: reasonIn(text) ?? error.message };
  const counted = `${plural(steps.total, "step")}, ${steps.cached} cached`;
  // The function lacks nothing, though it may fail for another reason.
  return { kind: "function", name, note: outcome === "passed" ? counted : `${outcome}, and lacks nothing; ${counted}` };
}

/** Returns the line that names what is missing: an address, or a command's error about a host name. */
function reasonIn(text: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  return (
    lines.find((line) => /is not available|can't be had|needs the network/.test(line)) ??
    lines.find((line) => /https?:\/\/|git@/.test(line) && !line.startsWith("--offline")) ??
    lines.find((line) => /resolv|not found|EAI_AGAIN|ENOTFOUND|unreachable/i.test(line))
  );
}

/** Starts the services and stops them again. */
export async function tryServices({ context, configFile, offline }: TrialOptions): Promise<Part> {
  const shared = configFile === undefined ? [] : ["--config", configFile];
  const up = await fastloop(context, ["up", "--detach", ...(offline ? ["--offline"] : []), ...shared]);
  await fastloop(context, ["down", ...shared]);
  context.signal.throwIfAborted();
  const part = { kind: "services", name: "services" } as const;
  if (up.code === 0) return part;
  if (up.output.includes("--offline")) return { ...part, missing: reasonIn(up.output) ?? "they need the network" };
  const [first = "they do not start"] = up.output.trim().split("\n").slice(-1);
  return { ...part, note: `not healthy, and lack nothing: ${first}` };
}

function fastloop(
  { cwd, env, signal }: CliContext,
  words: readonly string[],
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1]!, ...words], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const stop = (): void => void child.kill("SIGINT");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", (cause) =>
      reject(new UserError("engine-unavailable", `${words[0]}: ${cause.message}`, { cause })),
    );
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve({ code: code ?? 1, output });
    });
  });
}
