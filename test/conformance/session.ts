import { mkdtemp, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { openSession, type EngineSession } from "../../src/engine/index.ts";
import { startRegistry } from "../bench/registry.ts";

/** The two kinds of engine that answer the same. */
export type EngineKind = EngineSession["engine"]["kind"];

/** A session with one engine, opened through the product's own door, and a folder of the host for it. */
export interface ConformanceSession {
  readonly engine: EngineSession;
  /** The cases' folder: absolute, and as the engine reads it relative to the session's working directory. */
  readonly workdir: { absolute: string; relative: string };
  /** `host:port` of an image registry that this engine can push to; undefined: none is known. */
  readonly registry: string | undefined;
  close(): Promise<void>;
}

export async function openConformanceSession(kind: EngineKind): Promise<ConformanceSession> {
  if (kind === "dagger") nameDaggerEngine();
  // Somebody else's open session reads host paths of its own client: the folder that it was opened in.
  const foreign = kind === "dagger" && process.env["DAGGER_SESSION_PORT"] !== undefined;
  const base = foreign ? (process.env["FASTLOOP_TEST_WORKDIR"] ?? process.cwd()) : os.tmpdir();
  const absolute = await realpath(await mkdtemp(path.join(base, "conformance-")));
  const registry = kind === "embedded" ? await startRegistry(absolute) : undefined;
  const engine = await openSession({ workdir: absolute, engine: kind, rootCapabilities: true });
  return {
    engine,
    workdir: { absolute, relative: foreign ? path.basename(absolute) : "." },
    registry: registry?.address ?? process.env["FASTLOOP_TEST_REGISTRY"],
    async close() {
      await engine.close();
      await registry?.stop();
      await rm(absolute, { recursive: true, force: true });
    },
  };
}

/** What names a Dagger engine; the harness hides it from all tests but those that are about one. */
export const daggerVariable = "FASTLOOP_TEST_DAGGER";

/** Whether the environment that the tests were started in named a Dagger engine. */
export const daggerIsNamed = process.env[daggerVariable] !== undefined;

/** Puts the variables back that the harness hid. */
export function nameDaggerEngine(): void {
  const hidden = process.env[daggerVariable];
  if (hidden !== undefined) Object.assign(process.env, JSON.parse(hidden) as Record<string, string>);
}
