/** Whether function bodies run behind the boundary, and what is told where a machine has none. */
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { UserError } from "../../errors/index.ts";
import { confineProgram } from "./confine.ts";

export interface BoundaryOptions {
  /** Builds the helper where it is missing; absent: it is not built now. */
  buildBoundary?: () => Promise<void>;
  /** Whether the user trusts the repository to run its functions as the user, where there is no boundary. */
  mayRunOnHost?: () => boolean;
}

/** `FASTLOOP_BODIES`, which only who starts the process can set. */
type Wanted = "auto" | "sandbox" | "host";

/** Why this machine has no boundary, as its helper found out; once per process. */
let lacks: string | undefined;

/** The helper to start a runtime with; undefined: without a boundary, as the user wants it. Throws the refusal. */
export async function chooseBoundary(options: BoundaryOptions, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const wanted = wantedBoundary(env);
  if (wanted === "host") return undefined;
  if (process.platform !== "linux") return withoutBoundary("it is made of Linux's namespaces", wanted, options);
  if (lacks !== undefined) return withoutBoundary(lacks, wanted, options);
  const built = confineProgram(env);
  if (built !== undefined) return built;
  const problem = await options.buildBoundary?.().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return (
    confineProgram(env) ??
    withoutBoundary(problem ?? "its helper is not built: `fastloop setup` does it", wanted, options)
  );
}

/** After the helper has found out what this machine lacks: returns when the runtime may start without it, else throws the refusal. */
export function boundaryFailed(why: string, options: BoundaryOptions, env: NodeJS.ProcessEnv): undefined {
  lacks = why;
  return withoutBoundary(why, wantedBoundary(env), options);
}

function withoutBoundary(why: string, wanted: Wanted, { mayRunOnHost }: BoundaryOptions): undefined {
  if (wanted === "auto" && mayRunOnHost?.() === true) return undefined;
  throw new UserError(
    "untrusted",
    `this machine has no boundary for function bodies (${why}), and run as you they could do what you can`,
    {
      hint: "`fastloop trust --host-process` allows it for this repository, FASTLOOP_BODIES=host in CI; --via module runs them in a Dagger engine's container",
    },
  );
}

function wantedBoundary(env: NodeJS.ProcessEnv): Wanted {
  const wanted = env.FASTLOOP_BODIES ?? "";
  if (wanted === "") return "auto";
  if (wanted === "auto" || wanted === "sandbox" || wanted === "host") return wanted;
  throw new UserError("usage", "auto, sandbox or host was expected", { place: "FASTLOOP_BODIES" });
}

/** The line to the helper. */
export interface Helper {
  /** Undefined when the program runs behind the boundary, else why there is none. */
  started: Promise<string | undefined>;
  /** Opens a port of this machine's loopback to the program. */
  allow(port: number): Promise<void>;
}

/** `ended`: how, when the helper has ended. */
export function speakWithHelper(control: Duplex, ended: Promise<string>): Helper {
  const heard = new Map<string, (rest: string) => void>();
  const lines = createInterface({ input: control, crlfDelay: Infinity });
  control.on("error", () => undefined);
  lines.on("error", () => undefined);
  lines.on("line", (line) => {
    const [, word = "", rest = ""] = /^(\w+)(?:: (.*))?$/.exec(line) ?? [];
    heard.get(word)?.(rest);
  });
  const started = new Promise<string | undefined>((resolve) => {
    heard.set("started", () => resolve(undefined));
    heard.set("unable", (why) => resolve(why));
    // Its last words may still be on their way.
    void ended.then((how) => setImmediate(() => resolve(`its helper ended: ${how}`)));
  });
  return {
    started,
    allow: (port) =>
      new Promise((resolve) => {
        heard.set("allowed", () => resolve());
        // Who waits for a program that has ended hears of that elsewhere.
        void ended.then(() => resolve());
        control.write(`allow 127.0.0.1:${port}\n`);
      }),
  };
}
