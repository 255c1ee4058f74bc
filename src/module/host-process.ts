/** Starts, feeds and restarts the host process; the only part of the CLI that knows how bodies are run. */
import { fork } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { bundleModule, bundlePlace, type ModuleBundle } from "./bundle.ts";
import { FunctionError, moduleBroken } from "./function-error.ts";
import type { CallRequest, FromHost, ToHost } from "./host/protocol.ts";
import { listTree } from "../tree/index.ts";
import { orAborted } from "./or-aborted.ts";
import { distFile, findPackageRoot } from "./programs.ts";
import type { ModuleInfo, ReturnedValue } from "./types.ts";

/** A module's top level that has not ended by now may never do. */
const defaultSlowLoadMs = 5000;
/** A body that ignores its cancellation is not waited for longer than this. */
const cancelGraceMs = 2000;

export interface HostCall extends CallRequest {
  signal?: AbortSignal;
}

/** What a body printed. */
export interface HostLog {
  /** Undefined for output outside any call, such as a module's top level. */
  callId?: string;
  stream: "stdout" | "stderr";
  text: string;
}

interface SessionAccess {
  port: number;
  token: string;
}

export interface ModuleHostOptions {
  module: ModuleInfo;
  /** `EngineSession.body`: what bodies are given. May still be opening: the process starts meanwhile. */
  session: SessionAccess | Promise<SessionAccess>;
  onLog?: (log: HostLog) => void;
  /** Told once where loading the module takes longer than `slowLoadMs` (5000). */
  onNotice?: (text: string) => void;
  slowLoadMs?: number;
  env?: NodeJS.ProcessEnv;
}

/** A warm process that runs the bodies of one module. Calls may run in parallel. */
export interface ModuleHost {
  /** Throws `FunctionError` when the body fails, `UserError` when the module does not load, the signal's reason when aborted. */
  call(call: HostCall): Promise<ReturnedValue>;
  close(): Promise<void>;
}

export function startModuleHost(options: ModuleHostOptions): ModuleHost {
  return new Host(options);
}

interface Pending {
  /** `file:line` of the function, for errors whose stack no longer shows it. */
  place: string | undefined;
  resolve: (value: ReturnedValue) => void;
  reject: (error: unknown) => void;
}

class Host implements ModuleHost {
  private readonly options: ModuleHostOptions;
  private running: Promise<Running> | undefined;
  private readonly closing = new AbortController();
  private nextId = 1;

  constructor(options: ModuleHostOptions) {
    this.options = options;
    // Who opens the session hears of its failure; the process may have failed before it asks for it.
    Promise.resolve(options.session).catch(() => undefined);
    // Warm it at once; whoever calls first sees the error.
    this.start().catch(() => {});
  }

  async call({ signal, ...request }: HostCall): Promise<ReturnedValue> {
    signal?.throwIfAborted();
    const running = await orAborted(this.start(), signal);
    const id = this.nextId++;
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<ReturnedValue>((resolve, reject) => {
        onAbort = () => {
          running.send({ kind: "cancel", id });
          timer = setTimeout(() => reject(abortReason(signal)), cancelGraceMs);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        const { objects, mainObject } = this.options.module;
        const place = objects[request.object ?? mainObject]?.functions[request.function]?.place;
        running.pending.set(id, { resolve, reject, place });
        running.send({ kind: "call", id, request });
      });
    } catch (error) {
      throw signal?.aborted === true ? abortReason(signal) : error;
    } finally {
      clearTimeout(timer);
      running.pending.delete(id);
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.closing.abort(closedError());
    const running = await this.running?.catch(() => undefined);
    await running?.stop();
  }

  private start(): Promise<Running> {
    if (this.closing.signal.aborted) return Promise.reject(closedError());
    if (this.running === undefined) {
      const onExit = (): void => {
        if (this.running === starting) this.running = undefined;
      };
      const starting = startProcess(this.options, this.closing.signal, onExit);
      this.running = starting;
      starting.catch(() => {
        if (this.running === starting) this.running = undefined;
      });
    }
    return this.running;
  }
}

interface Running {
  pending: Map<number, Pending>;
  send(message: ToHost): void;
  stop(): Promise<void>;
}

/** Node starts while the module is bundled and the session opens; resolves when the module is loaded. */
async function startProcess(options: ModuleHostOptions, closing: AbortSignal, onExit: () => void): Promise<Running> {
  const { module, session, onLog, onNotice, slowLoadMs = defaultSlowLoadMs } = options;
  const env = options.env ?? process.env;
  const child = fork(distFile("module-host.js"), [], {
    cwd: module.sourceDir,
    env: scrubbed(env),
    ...endingWithUs(hostFlags(module, bundlePlace(module, env))),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "json",
  });
  const pending = new Map<number, Pending>();
  let crashOutput = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    crashOutput = (crashOutput + text).slice(-4000);
  });
  child.stdout?.resume();
  const send = (message: ToHost): void => {
    if (child.connected) child.send(message, () => {});
  };
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  void exited.then((how) => {
    onExit();
    const error = { name: "Error", message: `the process that ran the function ended (${how})`, frames: [] };
    for (const { reject, place } of pending.values()) reject(new FunctionError(error, module, { place, output: crashOutput }));
  });

  const ready = new Promise<void>((resolve, reject) => {
    child.on("message", (message: FromHost) => {
      if (message.kind === "ready") resolve();
      else if (message.kind === "broken") reject(moduleBroken(message.error, module));
      else if (message.kind === "log") onLog?.({ callId: message.callId, stream: message.stream, text: message.text });
      else if (message.kind === "result") pending.get(message.id)?.resolve(message.value);
      else {
        const call = pending.get(message.id);
        call?.reject(new FunctionError(message.error, module, { place: call.place }));
      }
    });
    void exited.then((how) => {
      const error = { name: "Error", message: `the module could not be loaded: its process ended (${how})`, frames: [] };
      reject(moduleBroken(error, module, crashOutput));
    });
  });
  // It may end while the module is still bundled, when nobody waits for it yet.
  ready.catch(() => {});
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  let slowLoad: NodeJS.Timeout | undefined;
  try {
    const [bundle, access] = await orAborted(Promise.all([bundleModule(module, env), session]), closing);
    send({
      kind: "start",
      bundleUrl: pathToFileURL(bundle.file).href,
      module,
      sourceDir: module.sourceDir,
      ...access,
    });
    slowLoad = setTimeout(() => onNotice?.(`the module ${module.name} is still loading after ${slowLoadMs / 1000} s: its top level has not ended; Ctrl-C ends it`), slowLoadMs);
    await orAborted(ready, closing);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(slowLoad);
  }
  return { pending, send, stop };
}

/**
 * The host ends when its parent's channel closes; a body in an endless loop never hears of that. Where the parent is
 * killed the kernel ends the host, which util-linux's setpriv asks for (that of busybox can't).
 */
function endingWithUs(flags: string[]): { execPath?: string; execArgv: string[] } {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux" || !existsSync(setpriv) || path.basename(realpathSync(setpriv)) !== "setpriv") return { execArgv: flags };
  return { execPath: setpriv, execArgv: ["--pdeathsig", "KILL", "--", process.execPath, ...flags] };
}

/** Only what Node itself needs: a body sees none of the user's environment, as in an engine's container. */
function scrubbed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "TZ", "LANG"]) {
    if (env[name] !== undefined) kept[name] = env[name];
  }
  return kept;
}

/** Node's permission model: reads of the module, of packages and of the programs; no writes, children or workers. */
function hostFlags(module: ModuleInfo, bundle: ModuleBundle): string[] {
  const flags = process.allowedNodeEnvironmentFlags;
  const readable = new Set<string>();
  for (const folder of [
    path.join(module.root, "node_modules"),
    path.join(findPackageRoot(), "node_modules"),
    path.dirname(distFile("sdk.js")),
    bundle.folder,
  ]) {
    readable.add(folder);
    if (existsSync(folder)) readable.add(realpathSync(folder));
  }
  return [
    flags.has("--permission") ? "--permission" : "--experimental-permission",
    ...(flags.has("--allow-net") ? ["--allow-net"] : []),
    ...[...readable].map((folder) => `--allow-fs-read=${path.join(folder, "*")}`),
    ...readableSources(module.sourceDir).map((place) => `--allow-fs-read=${place}`),
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
  ];
}

/**
 * The permission model follows symbolic links. In an engine a link that leaves the module leads nowhere, so where there
 * is one, the files beside it are allowed one by one.
 */
function readableSources(sourceDir: string): string[] {
  const { entries } = listTree(sourceDir, { exclude: ["**/node_modules", "**/.git"] });
  const leaves = (link: string): boolean => {
    const target = existsSync(link) ? realpathSync(link) : sourceDir;
    return target !== sourceDir && !target.startsWith(sourceDir + path.sep);
  };
  const links = entries.filter((entry) => entry.type === "symlink" && leaves(path.join(sourceDir, entry.path)));
  if (links.length === 0) return [path.join(sourceDir, "*")];
  const kept = entries.filter((entry) => entry.type === "file").map((entry) => path.join(sourceDir, entry.path));
  const packages = path.join(sourceDir, "node_modules");
  return existsSync(packages) ? [...kept, path.join(packages, "*")] : kept;
}

const closedError = (): Error => new Error("the module host is closed");

function abortReason(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new Error("the call was cancelled");
}

