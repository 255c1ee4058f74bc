/** A call's value: out of the project's cache when nothing that decides it changed, else from an engine. */
import { randomUUID } from "node:crypto";
import { CallMask, dependencyDefaults, runCall, type ParsedCall } from "../../call/index.ts";
import type { LoadedConfig } from "../../config/index.ts";
import {
  describeEngineChoice,
  engineKey,
  failureOf,
  lostSession,
  needsDagger,
  openSession,
  serveModule,
  setUpBoundary,
  type EngineSession,
} from "../../engine/index.ts";
import { startModuleHost, type ModuleHost, type ModuleInfo, type ReturnedValue } from "../../module/index.ts";
import {
  digestOf,
  fingerprintOfCall,
  inputsOfCall,
  placeProject,
  projectHasher,
  ProjectScanner,
} from "../../plan/index.ts";
import type { ProjectState } from "../../state/index.ts";
import { hostProcessAsk, trustedCacheOf, type EngineChoiceOptions, type Trust } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import { mayHaveRootCapabilities } from "../trust.ts";
import { keepMs } from "./keep.ts";
import { Progress } from "./progress.ts";
import { ResultCache } from "./result-cache.ts";
import { userTerminal, type UserTerminal } from "./user-terminal.ts";

export type EngineOptions = EngineChoiceOptions;

/** The project's configuration, what of it the user allows, and what of the call is shown. */
export interface TrustedConfig {
  config: LoadedConfig;
  trust: Trust;
  /** Steps whose stderr is for the user. */
  speaks?: (name: string) => boolean;
  /** No live lines, as others write to the terminal meanwhile. */
  isPlain?: boolean;
}

export async function callWithCache(
  call: ParsedCall,
  module: ModuleInfo,
  context: CliContext,
  engine: EngineOptions,
  trusted: TrustedConfig,
): Promise<ReturnedValue> {
  const keep = keepMs(call);
  const mask = new CallMask();
  const terminal = userTerminal(context);
  const { state } = placeProject({ cwd: context.cwd, onNotice: call.silent ? undefined : context.notice });
  if (keep === undefined) return callEngine(call, module, context, engine, mask, terminal, trusted, state);

  const hasher = projectHasher(state);
  const inputs = inputsOfCall(call, module);
  const scanner = new ProjectScanner(inputs, hasher);
  const answering = await engineKey({ ...engine, via: call.via });
  const key = async (ahead?: ReturnType<typeof hasher.lookAhead>): Promise<string> =>
    digestOf(
      await fingerprintOfCall(call, inputs, {
        snapshot: scanner.scan(undefined, undefined, ahead),
        moduleDigest: module.digest,
        secretKey: state.hashKey,
        engine: answering,
        environment: context.env,
        cwd: context.cwd,
      }),
    );
  const cache = new ResultCache(state);
  const ahead = hasher.lookAhead(new Set(inputs.flatMap(({ kind, path }) => (kind === "directory" ? [path] : []))));
  const before = await key(ahead).finally(() => {
    for (const one of ahead.values()) one.stop();
  });
  const hit = cache.read(before, Date.now());
  if (hit !== undefined) {
    if (!call.silent)
      context.notice(`cached: nothing changed since this ran ${ageText(hit.ageMs)} ago (--no-cache runs it again)`);
    hasher.save();
    return hit.value;
  }
  const startedAtMs = Date.now();
  const value = await callEngine(call, module, context, engine, mask, terminal, trusted, state);
  // An input that moved meanwhile: whatever was computed, it is not the result of what was hashed.
  // And a function that gives a secret away is the user's business, but a file of ours must not keep it.
  if (terminal?.wasUsed !== true && (await key()) === before && !mask.isIn(value)) {
    cache.write(before, { startedAtMs, keepMs: keep, value });
  }
  hasher.save();
  return value;
}

/** Adds each secret that the call is given to `mask`. */
async function callEngine(
  call: ParsedCall,
  module: ModuleInfo,
  context: CliContext,
  engine: EngineOptions,
  mask: CallMask,
  terminal: UserTerminal | undefined,
  { config, trust, ...shown }: TrustedConfig,
  state: ProjectState,
): Promise<ReturnedValue> {
  const { signal, env, cwd } = context;
  const callId = randomUUID();
  const progress = call.silent
    ? undefined
    : new Progress({ stream: context.stderr, colors: context.colors("stderr"), verbose: call.verbose, ...shown });
  const onNotice = (text: string): void => progress?.print(text);
  try {
    // Before an engine is started for nothing.
    if (call.via === "module" && (await describeEngineChoice(engine)).choice.kind.startsWith("buildkit"))
      throw needsDagger();
    const opening = openSession({
      workdir: cwd,
      ...engine,
      cache: trustedCacheOf(config.config, trust, onNotice),
      rootCapabilities: await mayHaveRootCapabilities(trust, env, call),
      module: { name: module.name, sourceDir: module.sourceDir },
      signal,
      onNotice,
      ...(terminal === undefined ? {} : { onTerminal: (remote) => void terminal.lend(remote, progress) }),
    });
    const early = call.via === "module" ? undefined : bodies(module, opening, context, trust, mask, onNotice, state);
    const session = await (progress?.during("waiting for the engine", opening) ?? opening).catch(
      async (error: unknown) => {
        await early?.close();
        throw error;
      },
    );
    if (call.verbose) onNotice(`engine: ${session.engine.version} (${session.engine.reason})`);
    session.onEvent((event) => mask.event(event, (shown) => progress?.event(shown)));
    const host = early ?? served(module, session, onNotice);
    try {
      return await runCall(call, {
        module,
        session,
        host,
        callId,
        signal,
        env,
        cwd,
        secretKey: state.hashKey,
        onSecret: (plaintext, name) => mask.add(plaintext, name, session, onNotice),
      });
    } catch (error) {
      // Whatever the body met: where the engine ended, that is why.
      throw signal.aborted ? error : ((await lostSession(session)) ?? error);
    } finally {
      await Promise.all([host.close(), session.close()]);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : failureOf(mask.error(error));
  } finally {
    mask.end();
    progress?.stop();
  }
}

/** The module's functions in the engine. */
function served(module: ModuleInfo, session: EngineSession, print: (text: string) => void): ModuleHost {
  print("the engine loads the module: up to a minute the first time, a second later on");
  return serveModule(session, module);
}

/** The module's functions in a process beside this one, which starts while the session opens. */
function bodies(
  module: ModuleInfo,
  session: Promise<EngineSession>,
  { env, cwd, signal }: CliContext,
  trust: Trust,
  mask: CallMask,
  print: (text: string) => void,
  state: ProjectState,
): ModuleHost {
  return startModuleHost({
    module,
    session: session.then(({ body }) => body),
    env,
    buildBoundary: () => setUpBoundary({ onNotice: print, signal }),
    mayRunOnHost: () => trust.allows(hostProcessAsk(module.name)),
    onLog: (log) => mask.log(log, ({ text }) => print(text.replace(/\n$/, ""))),
    onNotice: print,
    defaults: dependencyDefaults(session, { env, cwd, secretKey: state.hashKey }),
  });
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
