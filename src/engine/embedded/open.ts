/** A session with the embedded engine: set-up where something is missing, the daemon where it does not run. */
import path from "node:path";
import { existsSync } from "node:fs";
import type { EngineChoice } from "../choose.ts";
import { thisMachine } from "../choose-machine.ts";
import { openDaemonSession } from "./session.ts";
import { startDaemon } from "./start.ts";
import { imagesDir, requireRoot, shimDir, stateDir, runSetup } from "../../engine-daemon/index.ts";
import { packageRoot } from "../../paths/index.ts";
import { idleMsOf } from "./idle.ts";
import { UserError } from "../../errors/index.ts";
import type { EngineSession, OpenSessionOptions } from "../types.ts";

type EmbeddedChoice = Extract<EngineChoice, { kind: `buildkit${string}` }>;

/** State folder of the daemon that serves a choice. */
export function stateDirOf(choice: EmbeddedChoice): string {
  return stateDir(choice.kind === "buildkit-host" ? choice.address : undefined);
}

/** A daemon of another build may have to end first, and another command may be ahead: a few rounds settle it. */
const rounds = 5;

export async function openEmbeddedSession(choice: EmbeddedChoice, options: OpenSessionOptions): Promise<EngineSession> {
  const state = stateDirOf(choice);
  for (let round = 0; round < rounds; round++) {
    const session = await openDaemonSession(state, options, choice.reason);
    if (session !== undefined) return session;
    await startEngine(choice, options, options.idleMs);
  }
  throw new UserError("engine-unavailable", "the engine daemon keeps stopping", {
    hint: `another program may be stopping it; see ${path.join(state, "engine.log")}`,
  });
}

/** Starts the daemon for a choice, set-up included. */
export async function startEngine(
  choice: EmbeddedChoice,
  options: Pick<OpenSessionOptions, "onNotice" | "signal" | "offline">,
  idleTimeoutMs: number = idleMsOf(process.env),
) {
  const prepared = await prepare(choice, options);
  return startDaemon({
    state: stateDirOf(choice),
    source: prepared,
    idleTimeoutMs,
    onNotice: options.onNotice,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

type Source = { address: string } | { buildkitd: string };

async function prepare(
  choice: EmbeddedChoice,
  options: Pick<OpenSessionOptions, "onNotice" | "signal" | "offline">,
): Promise<Source> {
  const shim = existsSync(path.join(shimDir(packageRoot(), goArchitecture()), "shim"));
  if (choice.kind === "buildkit-host") {
    // A daemon elsewhere pulls its own images.
    if (!shim) {
      refuseOffline(["shim"], options);
      await runSetup(["shim"], options);
    }
    return { address: choice.address };
  }
  requireRoot();
  for (const why of choice.passedOver ?? [])
    options.onNotice?.(`a buildkitd on the PATH is passed over, as it would run as root: ${why}`);
  const images = existsSync(path.join(imagesDir(), "decision.json"));
  const missing = [
    ...(choice.command === undefined ? ["engine"] : []),
    ...(shim ? [] : ["shim"]),
    ...(images ? [] : ["images"]),
  ];
  if (missing.length > 0) {
    refuseOffline(missing, options);
    await runSetup(missing, options);
  }
  const buildkitd = choice.command ?? thisMachine().builtBuildkitd();
  if (buildkitd === undefined) throw new Error("set-up succeeded, but there is no buildkitd");
  return { buildkitd };
}

function refuseOffline(missing: readonly string[], { offline }: Pick<OpenSessionOptions, "offline">): void {
  if (offline !== true) return;
  const names: Record<string, string> = { engine: "buildkitd", shim: "the exec helper", images: "the base images" };
  throw new UserError(
    "engine-unavailable",
    `the embedded engine lacks ${missing.map((part) => names[part] ?? part).join(", ")}, and must not fetch anything`,
    {
      place: "--offline",
      hint: "set it up with `fastloop engine start` while there is a network",
    },
  );
}

/** As Go names it. */
function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
