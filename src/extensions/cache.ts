/** Storage of call results. */
import { orAborted } from "../async/index.ts";
import { seal, unseal, type ProjectState } from "../state/index.ts";
import { withinComputeTime } from "./compute-time.ts";
import type { ExtensionPoint } from "./load.ts";
import type { CacheBackend } from "./types.ts";

/** Number of files kept in a project; the oldest are deleted first. */
const keptFiles = 500;
/** A slower backend saves nothing, as most calls run in less time. */
const answerMs = 2_000;
const keyShape = /^[0-9a-f]{64}$/;
const fileShape = /^[0-9a-f]{64}\.json$/;

/** Stores results in `.fastloop/calls` of the project, with the user's seal. */
export function diskBackend(state: ProjectState): CacheBackend {
  return {
    name: "disk",
    get(key) {
      const name = fileOf(key);
      return state.read("calls", name, () =>
        state.notice(`the stored result ${name} is damaged, or not of this user and place; the call runs`),
      );
    },
    put(key, value) {
      if (state.write("calls", fileOf(key), [value])) state.keepNewest("calls", fileShape, keptFiles);
    },
  };
}

export function cachePoint(state: ProjectState): ExtensionPoint<CacheBackend> {
  return {
    key: "cache",
    builtIn: { disk: () => diskBackend(state), memory: async () => (await import("./memory.ts")).memoryBackend() },
    methods: ["get", "put"],
  };
}

/**
 * Guards a backend of the project's: it receives sealed data, and its answers count only with the seal. A backend that
 * throws, times out or returns no bytes is reported and not used again.
 */
export function guardedBackend(backend: CacheBackend, state: ProjectState): CacheBackend {
  let isUsed = true;
  const guarded = async <T>(what: string, work: () => Promise<T> | T): Promise<T | undefined> => {
    if (!isUsed) return undefined;
    try {
      const limit = AbortSignal.timeout(answerMs);
      return await orAborted(
        Promise.resolve().then(() => withinComputeTime(work, answerMs)),
        limit,
      );
    } catch (error) {
      isUsed = false;
      state.notice(`the cache "${backend.name}" is not used any more: ${what} failed (${reasonOf(error)})`);
      return undefined;
    }
  };
  return {
    name: backend.name,
    async get(key) {
      const sealed = await guarded("get()", async () => {
        const value: unknown = await backend.get(key);
        if (value !== undefined && !(value instanceof Uint8Array)) throw new TypeError("it gave no Uint8Array");
        return value;
      });
      return sealed === undefined ? undefined : unseal(state.hashKey, nameOf(key), Buffer.from(sealed));
    },
    async put(key, value, options) {
      await guarded("put()", () => backend.put(key, Buffer.concat(seal(state.hashKey, nameOf(key), [value])), options));
    },
    async close() {
      if (backend.close !== undefined) await guarded("close()", () => backend.close!());
    },
  };
}

/** Part of the seal, so that a value does not count under another key. */
const nameOf = (key: string): string => `backend/${fileOf(key)}`;

function fileOf(key: string): string {
  if (!keyShape.test(key)) throw new Error(`${key} is not a digest`);
  return `${key}.json`;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
