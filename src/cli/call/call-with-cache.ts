/**
 * Returns a call's value: from the project's cache when nothing that determines it has changed, else from an engine.
 */
import { randomUUID } from "node:crypto";
import { CallWorkspace, runCall, workspaceAt, type MadeRead, type ParsedCall } from "../../call/index.ts";
import type { LoadedConfig } from "../../config/index.ts";
import { failureOf } from "../../engine/index.ts";
import { cachePoint, extensionOf, guardedBackend, type CacheBackend } from "../../extensions/index.ts";
import type { ExpectedCall, ModuleInfo, ReturnedValue } from "../../module/index.ts";
import {
  digestOf,
  fingerprintOfCall,
  inputsOfCall,
  isAsRead,
  type PastScan,
  placeProject,
  projectHasher,
  ProjectScanner,
  WorkspaceReads,
  type Fingerprint,
  type ProjectSnapshot,
  type TargetInput,
} from "../../plan/index.ts";
import type { ProjectSession } from "../../session/index.ts";
import type { ProjectState } from "../../state/index.ts";
import type { ContentHasher, ScanRecorder } from "../../tree/index.ts";
import type { Trust } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import { cacheLifetimeMs } from "./cache-lifetime.ts";
import type { CallView } from "./call-view.ts";
import { ResultCache } from "./result-cache.ts";

/** Project and module that a call runs with. */
export interface CalledProject {
  module: ModuleInfo;
  config: LoadedConfig;
  trust: Trust;
  /** Whether the user typed the call. Any other call comes from a repository. */
  isTyped?: boolean;
}

/**
 * Runs a call, unless the project's cache has a result that is still valid, and closes the session. Throws the
 * function's or engine's error.
 */
export async function callWithCache(
  call: ParsedCall,
  project: CalledProject,
  context: CliContext,
  session: ProjectSession,
  view: CallView,
  past?: PastScan,
): Promise<ReturnedValue> {
  const { module, isTyped } = project;
  const keep = cacheLifetimeMs(call);
  const { state } = placeProject({
    cwd: context.cwd,
    configFile: call.config,
    onNotice: call.silent ? undefined : context.notice,
  });
  const reads = new WorkspaceReads(state, workspaceAt(context.cwd));
  const callEngine = (): Promise<Called> => callInSession(call, project, context, session, view, state.hashKey, reads);
  if (keep === undefined) return (await callEngine()).value;

  const hasher = projectHasher(state);
  const given = inputsOfCall(call, module);
  const inputs = inputsOfCall(call, module, reads);
  const answering = await session.key();
  const fingerprint = (of: readonly TargetInput[], snapshot: ProjectSnapshot): Promise<Fingerprint> =>
    fingerprintOfCall(call, of, {
      snapshot,
      moduleDigest: module.digest,
      secretKey: state.hashKey,
      engine: answering,
      environment: context.env,
      cwd: context.cwd,
      isTyped,
      signal: context.signal,
    });
  const backend = await backendOf(project, state);
  const cache = new ResultCache(backend);
  try {
    const scanner = new ProjectScanner(inputs, hasher);
    const scan = (seen?: ScanRecorder): ProjectSnapshot => scanAhead(scanner, inputs, hasher, seen);
    const { snapshot: seenBefore, keep: keepScan } =
      past === undefined ? { snapshot: scan() } : await past.scan(scanner, scan);
    const before = await fingerprint(inputs, seenBefore);
    keepScan?.();
    const hit = await cache.read(digestOf(before), Date.now());
    if (hit !== undefined) {
      if (!call.silent)
        context.notice(`cached: nothing changed since this ran ${ageText(hit.ageMs)} ago (--no-cache runs it again)`);
      hasher.save();
      return hit.value;
    }
    const startedAtMs = Date.now();
    const { value, made } = await callEngine();
    const readInputs = reads.inputsOf(made.map(({ read }) => read));
    const all = [...given, ...readInputs];
    const snapshot = new ProjectScanner(all, hasher).scan();
    const after = await fingerprint(all, snapshot);
    // An input that changed during the call: the value does not belong to the inputs that were hashed.
    const isSame = digestOf(withoutReads(after, given)) === digestOf(withoutReads(before, given));
    // A function may return a secret to the user, but fastloop must not store it in a file.
    if (view.terminal?.wasUsed !== true && isSame && isAsRead(made, readInputs, snapshot) && !view.mask.isIn(value)) {
      reads.keep(
        call,
        given,
        made.map(({ read }) => read),
      );
      await cache.write(digestOf(after), { startedAtMs, keepMs: keep, value });
    }
    hasher.save();
    return value;
  } finally {
    await backend.close?.();
  }
}

/** Looks at all files, a second thread from the other end where they are many. */
function scanAhead(
  scanner: ProjectScanner,
  inputs: readonly TargetInput[],
  hasher: ContentHasher,
  seen: ScanRecorder | undefined,
): ProjectSnapshot {
  const ahead = hasher.statAhead(new Set(inputs.flatMap(({ kind, path }) => (kind === "directory" ? [path] : []))));
  try {
    return scanner.scanNoting(seen, ahead);
  } finally {
    for (const one of ahead.values()) one.stop();
  }
}

async function backendOf({ config, trust }: CalledProject, state: ProjectState): Promise<CacheBackend> {
  const notice = (text: string): void => state.notice(text);
  const { extension, isForeign } = await extensionOf(cachePoint(state), config, trust, notice);
  return isForeign ? guardedBackend(extension, state) : extension;
}

interface Called {
  value: ReturnedValue;
  /** What the functions read of the workspace. */
  made: MadeRead[];
}

/** Returns the fingerprint of the call's own inputs; those that its functions read come after them in the list. */
function withoutReads(fingerprint: Fingerprint, given: readonly TargetInput[]): Fingerprint {
  return { ...fingerprint, inputs: fingerprint.inputs.slice(0, given.length) };
}

/** Runs the call in the project's session, then closes the session. */
async function callInSession(
  call: ParsedCall,
  { module, isTyped }: CalledProject,
  { signal, env, cwd }: CliContext,
  session: ProjectSession,
  view: CallView,
  secretKey: Uint8Array,
  { place }: WorkspaceReads,
): Promise<Called> {
  const stopShowing = view.show();
  try {
    if (call.via === "module")
      view.notice("the engine loads the module: up to a minute the first time, a second later on");
    const engine = await view.during("waiting for the engine", session.forModule(module, firstOf(call)));
    engine.onLog((log) => view.mask.log(log, ({ text }) => view.notice(text.replace(/\n$/, ""))));
    const callId = randomUUID();
    const workspace = new CallWorkspace(place, { trees: engine.trees, query: { callId, signal } });
    const value = await runCall(call, {
      ...engine,
      callId,
      signal,
      workspace,
      env,
      cwd,
      isTyped,
      secretKey,
      onSecret: (plaintext, name) => view.mask.add(plaintext, name, engine.session, view.notice),
    }).catch(async (error: unknown) => {
      // If the engine ended, that explains whatever error the body met.
      throw signal.aborted ? error : ((await session.whyLost(engine.session)) ?? error);
    });
    return { value, made: workspace.reads };
  } catch (error) {
    throw signal.aborted ? signal.reason : failureOf(view.mask.error(error));
  } finally {
    await session.close();
    stopShowing();
  }
}

function ageText(ageMs: number): string {
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ];
  const [size, unit] = units.find(([unitMs]) => ageMs >= unitMs) ?? [1, "ms"];
  return `${Math.floor(ageMs / size)} ${unit}`;
}

/** Returns the module's function that runs first. */
function firstOf({ own, toolchain }: ParsedCall): ExpectedCall {
  const [first] = own;
  return {
    ...(toolchain === undefined ? {} : { of: toolchain.module }),
    ...(first?.kind === "field" || first === undefined
      ? { function: "" }
      : { object: first.object, function: first.fn.name }),
  };
}
