import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { EngineEvent } from "./types.ts";
import type {
  Build,
  BuildOptions,
  CacheEntry,
  ExportRequest,
  FrontendRequest,
  FrontendResult,
  Ref,
} from "../buildkit/types.ts";
import { definition, runsCommands, stateDigest, type State } from "../llb/index.ts";
import { Budget, joined } from "../async/index.ts";
import { homeFolder } from "../paths/index.ts";
import { Admission } from "./solve/admission.ts";
import { socketId } from "./solve/compile-exec.ts";
import { execsOf, namedExecs } from "./solve/execs-of.ts";
import { Compiler } from "./solve/compile.ts";
import { Destinations } from "./solve/destinations.ts";
import { ApiError } from "./values/errors.ts";
import type { Call } from "./request/call.ts";
import { StepClaims } from "./solve/events.ts";
import { HostTrees } from "./host/trees.ts";
import { IdRegistry } from "./values/ids.ts";
import { Images } from "./image/images.ts";
import type { ApiSessionOptions } from "./options.ts";
import { normalizePlatform, parsePlatform } from "./values/platform.ts";
import { exportCaches, usableCaches } from "./registry/shared-cache.ts";
import { RegistryPasswords } from "./registry/auth.ts";
import { secretAsked } from "./secret/asked.ts";
import { SecretVault } from "./secret/vault.ts";
import { Services } from "./service/services.ts";
import { connectTo, SocketTable } from "./socket/table.ts";
import { solveFailure } from "./solve/failure.ts";
import { Terminals } from "./terminal/terminals.ts";
import type { Exec, RegistryCredential, Socket, Tree } from "./values/values.ts";

const maxThreads = 3;

/** State that all objects of one client share: BuildKit build, ids, snapshots, secrets and events. */
export class Session {
  readonly options: ApiSessionOptions;
  readonly defaultPlatform: string;
  readonly ids = new IdRegistry();
  readonly secrets: SecretVault;
  readonly build: Build;
  readonly images: Images;
  readonly hostTrees: HostTrees;
  /** Network of the containers. With `host`, they share the host's network and have none of their own. */
  readonly network: "isolated" | "host";
  /** Limit on how many containers live at a time. */
  readonly admission: Admission;
  readonly services: Services;
  readonly terminals: Terminals;
  /** Host sockets that containers mount. */
  readonly sockets: SocketTable;
  /** Recipes of execs by the digest of their vertex. */
  readonly execs = new Map<string, Exec>();
  /** Commands of a Dockerfile's RUN steps by the digest of their vertex. */
  readonly dockerCommands = new Map<string, readonly string[]>();
  /** Credentials from `withRegistryAuth`; the last one for a host wins. */
  readonly registryAuth: RegistryCredential[];
  readonly passwords: RegistryPasswords;
  /** Evaluated results by state digest. */
  private readonly results = new Map<string, { ref: Ref; steps: { digest: string; name: string }[]; state: State }>();
  private readonly definitions = new Map<string, State>();
  private readonly compiler: Compiler;
  readonly destinations = new Destinations();
  private readonly answers = new Map<string, Promise<unknown>>();
  readonly stepClaims = new StepClaims();
  /** Worker threads that searches, long queries and long JSON documents share. */
  readonly threads = new Budget(maxThreads);
  /** Total length of the answers that clients have not finished reading, in characters. */
  unreadChars = 0;
  private temporary: Promise<string> | undefined;

  constructor(options: ApiSessionOptions, parts: SessionParts) {
    this.options = options;
    this.defaultPlatform = parts.defaultPlatform;
    this.network = parts.network;
    this.secrets = parts.secrets;
    this.registryAuth = parts.registryAuth;
    this.passwords = parts.passwords;
    this.sockets = parts.sockets;
    this.build = parts.build;
    this.admission = new Admission(options.limits?.containers, {
      isExec: (digest) => this.execs.has(digest) || this.dockerCommands.has(digest),
      makeRoom: () => this.services.endIdle(),
    });
    this.services = new Services(this);
    const offer = options.offerTerminal;
    this.terminals = new Terminals(offer && ((id, name) => offer(id, this.secrets.mask.text(name))));
    this.images = new Images(this.build, this.passwords, options);
    this.hostTrees = new HostTrees(
      options.buildkit,
      { workdir: options.workdir, home: homeFolder(options.env), umask: options.umask },
      (text) => this.emit({ kind: "notice", text }),
    );
    this.compiler = new Compiler({
      onExec: (digest, exec) => this.execs.set(digest, exec),
      definitionOf: (key) => this.definitions.get(key)!,
      destinationOf: (edit) => this.destinations.of(edit),
      fileDestinationOf: (edit) => this.destinations.ofFile(edit),
      masked: (text) => this.secrets.mask.text(text),
      hashLargeTrees: options.cache !== undefined,
    });
  }

  emit(event: EngineEvent): void {
    // Logs arrive in pieces and are masked as a stream before they get here.
    this.options.onEvent(event.kind === "log" ? event : this.secrets.mask.fields(event, ["name", "error", "text"]));
  }

  compile(tree: Tree): State {
    return this.compiler.compile(tree);
  }

  /** Keeps LLB that a frontend produced. Returns the key for a `definition` tree. */
  remember(state: State): string {
    const key = stateDigest(state);
    this.definitions.set(key, state);
    return key;
  }

  /** Evaluates a tree and passes its result to `use`; the empty tree's result is `undefined`. */
  async evaluate<T>(call: Call, tree: Tree, use: (build: Build, ref: Ref | undefined) => Promise<T>): Promise<T> {
    await this.destinations.prepare(call, tree);
    const state = this.compile(tree);
    const key = stateDigest(state);
    const known = this.results.get(key);
    if (known !== undefined) {
      call.events.reused(known.steps);
      return await use(this.build, known.ref);
    }
    let evaluation = call.evaluations.get(key);
    if (evaluation === undefined) call.evaluations.set(key, (evaluation = this.solve(call, key, state)));
    return await use(this.build, await evaluation);
  }

  private async solve(call: Call, key: string, state: State): Promise<Ref | undefined> {
    const llb = definition(state);
    if (llb === undefined) return undefined;
    const deserted = new AbortController();
    const users = Object.keys(llb.metadata).flatMap((digest) =>
      this.execs.has(digest) ? [{ digest, services: this.execs.get(digest)!.services }] : [],
    );
    // A command must not hang when its service has exited: the solve ends with that reason, as on a Dagger engine.
    const release = this.services.hold(users, ({ digest }, error) => {
      if (call.events.isRunning(digest)) deserted.abort(error);
    });
    const { signal, end } = joined([call.signal, deserted.signal]);
    const solve = async (onStatus: BuildOptions["onStatus"]): Promise<Ref | undefined> => {
      try {
        return await this.build.solve(llb, { signal, onStatus });
      } catch (error) {
        throw deserted.signal.aborted ? deserted.signal.reason : error;
      }
    };
    const ref = await this.following(call, solve).finally(() => {
      end();
      release();
    });
    if (ref !== undefined) this.results.set(key, { ref, steps: namedExecs(llb.metadata, this.execs), state });
    return ref;
  }

  /** Runs one of the daemon's frontends, which returns a definition. */
  async runFrontend(call: Call, request: FrontendRequest): Promise<FrontendResult> {
    return await this.following(call, (onStatus) =>
      this.build.solveFrontend(request, { signal: call.signal, onStatus }),
    );
  }

  /** Runs an exporter on evaluated results. */
  async export(call: Call, request: ExportRequest): Promise<Record<string, string>> {
    const release = this.services.hold(request.results.flatMap((result) => execsOf(result.definition, this.execs)));
    return await this.following(call, (onStatus) =>
      this.build.export(request, { signal: call.signal, onStatus }),
    ).finally(release);
  }

  async exportCaches(signal: AbortSignal): Promise<string[]> {
    const definitions = [...this.results.values()].map(({ state }) => definition(state));
    return await exportCaches(this, definitions.filter(runsCommands), signal);
  }

  /** Runs BuildKit work for a call: reports its events, and translates its errors into those of the API. */
  async following<T>(call: Call, work: (onStatus: BuildOptions["onStatus"]) => Promise<T>): Promise<T> {
    call.signal.throwIfAborted();
    const tell = call.events.solveListener();
    const containers = this.admission.follow();
    try {
      return await work((update) => {
        containers.update(update);
        tell(update);
      });
    } catch (error) {
      throw solveFailure(this, call, error);
    } finally {
      containers.end();
    }
  }

  /** Runs `ask` once per key. After a failure the next caller asks again, as do waiters if the asker was canceled. */
  async once<T>(key: string, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    for (;;) {
      let pending = this.answers.get(key) as Promise<T> | undefined;
      const isOwn = pending === undefined;
      if (pending === undefined) {
        pending = ask();
        this.answers.set(key, pending);
        pending.catch(() => this.answers.delete(key));
      }
      try {
        return await pending;
      } catch (error) {
        const othersGone = !isOwn && !signal.aborted && error instanceof ApiError && error.message === "canceled";
        if (!othersGone) throw error;
      }
    }
  }

  /** Returns the shim for a platform as a tree. */
  async shim(platform: string): Promise<Tree> {
    const { Architecture } = parsePlatform(platform);
    const folder = await this.options.shimDirectory(Architecture);
    return await this.hostTrees.internal(folder, `exec helper for ${Architecture}`);
  }

  /** Lets containers that mount a host socket connect to it. */
  serveSocket(socket: Socket): void {
    const id = socketId(socket);
    if (!this.sockets.has(id)) this.sockets.serve(id, () => connectTo({ path: socket.path }));
  }

  /** Returns the session's folder for files in transit, which `close` removes. */
  async temporaryFolder(): Promise<string> {
    this.temporary ??= mkdtemp(path.join(this.options.temporaryRoot ?? os.tmpdir(), "fastloop-api-"));
    return await this.temporary;
  }

  async close(): Promise<void> {
    await this.services.close();
    await this.build.close().catch(() => undefined);
    this.hostTrees.close();
    if (this.temporary !== undefined) await rm(await this.temporary, { recursive: true, force: true });
  }
}

interface SessionParts {
  defaultPlatform: string;
  network: "isolated" | "host";
  secrets: SecretVault;
  registryAuth: RegistryCredential[];
  passwords: RegistryPasswords;
  sockets: SocketTable;
  build: Build;
}

export async function newSession(options: ApiSessionOptions): Promise<Session> {
  const { platforms, network } = await options.buildkit.info();
  const [first] = platforms;
  if (first === undefined) throw new ApiError("the BuildKit daemon has no worker");
  const secrets = new SecretVault(options, (text) => session.emit({ kind: "notice", text }));
  const registryAuth: RegistryCredential[] = [];
  const sockets = new SocketTable();
  let imports: Promise<readonly CacheEntry[]> | undefined;
  const onProblem = (text: string): void => session.emit({ kind: "notice", text });
  const passwords = new RegistryPasswords({
    own: registryAuth,
    secrets,
    env: options.env,
    onProblem,
    ca: async () => (await options.hostTrust()).caBundlePem,
  });
  for (const { attrs } of [...(options.cache?.from ?? []), ...(options.cache?.to ?? [])])
    passwords.name(attrs["ref"]?.split("/")[0] ?? "");
  const build = await options.buildkit.openBuild({
    secrets: {
      get: (id, signal) => secretAsked(session, id, signal),
    },
    openSocket: (id) => sockets.open(id),
    registryAuth: (host) => passwords.of(host),
    registryToken: (request) => passwords.token(request),
    onStatus: () => undefined,
    cacheImports: () => (imports ??= usableCaches(session, options.cache?.from ?? [])),
  });
  const session = new Session(options, {
    defaultPlatform: normalizePlatform(first),
    network,
    secrets,
    registryAuth,
    passwords,
    sockets,
    build,
  });
  return session;
}
