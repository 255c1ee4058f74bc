import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { EngineEvent } from "../../types.ts";
import type { Build, Ref } from "../buildkit/types.ts";
import { definition, stateDigest, type State } from "../llb/index.ts";
import { Builds } from "./builds.ts";
import { trustSecrets } from "./compile-exec.ts";
import { Compiler } from "./compile.ts";
import { ApiError } from "./errors.ts";
import { StatusEvents } from "./events.ts";
import { HostTrees } from "./host-trees.ts";
import { IdRegistry } from "./ids.ts";
import { Images } from "./images.ts";
import type { ApiSessionOptions } from "./options.ts";
import { normalizePlatform, parsePlatform } from "./platform.ts";
import { registryCredentials } from "./registry-auth.ts";
import { SecretVault } from "./secret-vault.ts";
import { solveFailure } from "./solve-failure.ts";
import type { Exec, RegistryCredential, Tree } from "./values.ts";

/** One client's request; what a resolver may use. */
export interface Call {
  readonly session: Session;
  readonly callId?: string;
  readonly signal: AbortSignal;
}

/** All that one client's objects share: BuildKit, ids, snapshots, secrets, events. */
export class Session {
  readonly options: ApiSessionOptions;
  readonly defaultPlatform: string;
  readonly ids = new IdRegistry();
  readonly secrets: SecretVault;
  readonly builds: Builds;
  readonly images: Images;
  readonly hostTrees: HostTrees;
  readonly events: StatusEvents;
  /** Digest of an exec's vertex -> its recipe. */
  readonly execs = new Map<string, Exec>();
  /** Credentials that containers brought along; the last one for a host wins. */
  readonly registryAuth: RegistryCredential[] = [];
  private readonly definitions = new Map<string, State>();
  private readonly compiler: Compiler;
  private temporary: Promise<string> | undefined;

  constructor(options: ApiSessionOptions, defaultPlatform: string) {
    this.options = options;
    this.defaultPlatform = defaultPlatform;
    this.secrets = new SecretVault(options.env, options.workdir);
    this.events = new StatusEvents({
      emit: (event) => this.emit(event),
      secretsOf: (vertex) => this.secretsOf(vertex),
    });
    this.builds = new Builds(options.buildkit, {
      secrets: { get: (id) => this.secretForBuildkit(id) },
      registryAuth: (host) => registryCredentials(host, this),
      onStatus: (update) => this.events.onStatus(update),
    });
    this.images = new Images(this.builds);
    this.hostTrees = new HostTrees(options.buildkit, options.workdir, (text) => this.emit({ kind: "notice", text }));
    this.compiler = new Compiler({
      onExec: (digest, exec) => this.execs.set(digest, exec),
      definitionOf: (key) => this.definitions.get(key)!,
    });
  }

  emit(event: EngineEvent): void {
    this.options.onEvent(event);
  }

  compile(tree: Tree): State {
    return this.compiler.compile(tree);
  }

  /** Keeps LLB that a frontend made; the key goes into a `definition` tree. */
  remember(state: State): string {
    const key = stateDigest(state);
    this.definitions.set(key, state);
    return key;
  }

  /** Makes a tree exist and hands its result to `use`; `undefined` is the empty tree. */
  async evaluate<T>(call: Call, tree: Tree, use: (build: Build, ref: Ref | undefined) => Promise<T>): Promise<T> {
    const state = this.compile(tree);
    return await this.builds.use(async ({ build, refs }) => {
      const key = stateDigest(state);
      let ref = refs.get(key);
      if (ref === undefined) {
        ref = await this.solve(call, build, state);
        if (ref !== undefined) refs.set(key, ref);
      }
      return await use(build, ref);
    });
  }

  private async solve(call: Call, build: Build, state: State): Promise<Ref | undefined> {
    call.signal.throwIfAborted();
    const llb = definition(state);
    if (llb === undefined) return undefined;
    const release = this.events.attribute(Object.keys(llb.metadata), call.callId);
    try {
      return await build.solve(llb, { signal: call.signal });
    } catch (error) {
      throw await solveFailure(this, call, error);
    } finally {
      release();
    }
  }

  /** The shim for a platform, as a tree. */
  async shim(platform: string): Promise<Tree> {
    const { Architecture } = parsePlatform(platform);
    const folder = await this.options.shimDirectory(Architecture);
    return await this.hostTrees.internal(folder, `exec helper for ${Architecture}`);
  }

  secretsOf(vertex: string): readonly string[] {
    const exec = this.execs.get(vertex);
    return exec === undefined ? [] : this.secrets.texts(exec.secrets.map(({ id }) => id));
  }

  /** A folder of this session for files on their way; removed at the end. */
  async temporaryFolder(): Promise<string> {
    this.temporary ??= mkdtemp(path.join(os.tmpdir(), "fastloop-api-"));
    return await this.temporary;
  }

  async close(): Promise<void> {
    await this.builds.close();
    this.hostTrees.close();
    if (this.temporary !== undefined) await rm(await this.temporary, { recursive: true, force: true });
  }

  private async secretForBuildkit(id: string): Promise<Uint8Array | undefined> {
    if (id !== trustSecrets.ca && id !== trustSecrets.environment) return this.secrets.get(id);
    const trust = await this.options.hostTrust();
    if (id === trustSecrets.ca) return trust.caBundlePem === undefined ? undefined : Buffer.from(trust.caBundlePem);
    const lines = Object.entries(trust.environment).map(([name, value]) => `${name}=${value}\n`);
    return lines.length === 0 ? undefined : Buffer.from(lines.join(""));
  }
}

export async function newSession(options: ApiSessionOptions): Promise<Session> {
  const { platforms } = await options.buildkit.info();
  const [first] = platforms;
  if (first === undefined) throw new ApiError("the BuildKit daemon has no worker");
  return new Session(options, normalizePlatform(first));
}
