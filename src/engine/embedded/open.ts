/**
 * Opens a session with the embedded engine; runs set-up if something is missing, and starts the daemon if it does not
 * run.
 */
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

/** Returns the state folder of the daemon for a choice. */
export function stateDirOf(choice: EmbeddedChoice): string {
  return stateDir(choice.kind === "buildkit-host" ? choice.address : undefined);
}

/** A daemon of another build may have to end first, or another command may be faster; a few rounds settle that. */
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

/** Starts the daemon for a choice, running set-up first if needed. Returns the daemon's status. */
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

/** Something that the host needs before the daemon can start. */
export interface EnginePart {
  /** Name in set-up. */
  part: "engine" | "shim" | "images";
  name: string;
  /** Folder where it is; undefined if it is missing. */
  folder: string | undefined;
}

export function enginePartsOf(choice: EmbeddedChoice): EnginePart[] {
  const there = (folder: string, file: string): string | undefined =>
    existsSync(path.join(folder, file)) ? folder : undefined;
  const helper = shimDir(packageRoot(), goArchitecture());
  const shim = { part: "shim", name: "the exec helper", folder: there(helper, "shim") } as const;
  // A remote daemon pulls its own images.
  if (choice.kind === "buildkit-host") return [shim];
  const folder = choice.command === undefined ? undefined : path.dirname(choice.command);
  return [
    { part: "engine", name: "buildkitd", folder },
    shim,
    { part: "images", name: "the base images", folder: there(imagesDir(), "decision.json") },
  ];
}

type Source = { address: string } | { buildkitd: string };

async function prepare(
  choice: EmbeddedChoice,
  options: Pick<OpenSessionOptions, "onNotice" | "signal" | "offline">,
): Promise<Source> {
  if (choice.kind !== "buildkit-host") {
    requireRoot();
    for (const why of choice.passedOver ?? [])
      options.onNotice?.(`a buildkitd on the PATH is passed over, as it would run as root: ${why}`);
  }
  const missing = enginePartsOf(choice).filter(({ folder }) => folder === undefined);
  if (missing.length > 0) {
    if (options.offline === true) throw lacking(missing);
    if (choice.kind === "buildkit-host") await requireAnswer(choice.address);
    await runSetup(
      missing.map(({ part }) => part),
      options,
    );
  }
  if (choice.kind === "buildkit-host") return { address: choice.address };
  const buildkitd = choice.command ?? thisMachine().builtBuildkitd();
  if (buildkitd === undefined) throw new Error("set-up succeeded, but there is no buildkitd");
  return { buildkitd };
}

/** Throws when the named daemon does not answer, before anything is built for it. */
async function requireAnswer(address: string): Promise<void> {
  const { connectBuildkit } = await import("../../buildkit/index.ts");
  const client = await connectBuildkit(address);
  await client.close();
}

function lacking(missing: readonly EnginePart[]): UserError {
  const names = missing.map(({ name }) => name).join(", ");
  return new UserError("engine-unavailable", `the embedded engine lacks ${names}, and must not fetch anything`, {
    place: "--offline",
    hint: "`fastloop offline prepare` fetches it while you are online",
  });
}

/** Returns Go's name of the architecture. */
function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
