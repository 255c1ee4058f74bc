/** Decides whether function bodies run behind the boundary, and explains why a host has none. */
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { UserError } from "../../errors/index.ts";
import { confineProgram } from "./confine.ts";

export interface BoundaryOptions {
  /** Builds the helper if it is missing; if absent, it is not built now. */
  buildBoundary?: () => Promise<void>;
  /** Reports whether the user allows the repository's functions to run as the user when there is no boundary. */
  mayRunOnHost?: () => boolean;
}

/** Value of `FASTLOOP_BODIES`, which only whoever starts the process can set. */
type Wanted = "auto" | "sandbox" | "host";

/** Why this host has no boundary, as its helper found out; kept for the life of the process. */
let lacks: string | undefined;

/**
 * Returns the helper to start a runtime with; undefined if the user allows a runtime without a boundary. Throws the
 * refusal as a `UserError`.
 */
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

/**
 * Handles a helper that could not set up the boundary: returns if the runtime may start without it, else throws the
 * refusal.
 */
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

/** Connection to the helper. */
export interface Helper {
  /** Resolves to undefined when the program runs behind the boundary, else to the reason why there is none. */
  started: Promise<string | undefined>;
  /** Opens a port of the host's loopback interface to the program. */
  allow(port: number): Promise<void>;
}

/** `ended` resolves to a description of how the helper ended. */
export function connectHelper(control: Duplex, ended: Promise<string>): Helper {
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
    // The helper's last lines may still be in flight.
    void ended.then((how) => setImmediate(() => resolve(`its helper ended: ${how}`)));
  });
  return {
    started,
    allow: (port) =>
      new Promise((resolve) => {
        heard.set("allowed", () => resolve());
        // A caller that waits for an ended program learns of its end elsewhere.
        void ended.then(() => resolve());
        control.write(`allow 127.0.0.1:${port}\n`);
      }),
  };
}
