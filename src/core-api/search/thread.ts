/**
 * Runs a search in a worker thread, so that the daemon's other work continues. Whatever the pattern and the files are,
 * the search has limits of time and memory and ends with its request.
 */
import path from "node:path";
import { Worker } from "node:worker_threads";
import { orAborted } from "../../async/index.ts";
import { packageRoot } from "../../paths/index.ts";
import { compilePattern, type Found, type SearchPattern } from "./search-text.ts";

export type SearchWork = SearchPattern;

/** A file to search, or a request for more results of the previous file. */
export type SearchTask = { bytes: Uint8Array; limit: number } | "more";

export type SearchAnswer = { found: Found[]; isMore: boolean } | { problem: string };

export interface SearchThread {
  /** Searches one file's content and yields its results in batches. Throws when the thread was stopped or failed. */
  search(bytes: Uint8Array, limit: number): AsyncGenerator<Found[]>;
  close(): void;
}

/** Computing time for one search. The time that BuildKit takes to send files does not count. */
const limitMs = 60_000;
const maxPatternChars = 16 * 1024;
const memoryMb = 512;

/** Starts a thread for one pattern. Throws a `RangeError` when the pattern is invalid or too long. */
export function startSearch(pattern: SearchPattern, signal: AbortSignal): SearchThread {
  if (pattern.pattern.length > maxPatternChars)
    throw new RangeError(`it has ${pattern.pattern.length} characters; the limit is ${maxPatternChars}`);
  // Compile here too, so that an invalid pattern is reported before anything starts.
  compilePattern(pattern);
  const worker = new Worker(path.join(packageRoot(), "dist", "search-worker.js"), {
    workerData: pattern satisfies SearchWork,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  worker.unref();
  const over = new AbortController();
  worker.once("error", (error) => over.abort(new Error(`the search gave up: ${error.message}`)));
  const end = (reason: Error): void => {
    over.abort(reason);
    void worker.terminate();
  };
  const onAbort = (): void => end(new Error("the search was cancelled"));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  let leftMs = limitMs;

  const ask = async (task: SearchTask): Promise<{ found: Found[]; isMore: boolean }> => {
    const startedMs = performance.now();
    const timer = setTimeout(() => end(new Error(`the search took more than ${limitMs / 1000} s`)), leftMs);
    try {
      const answer = await orAborted(asked(worker, task), over.signal);
      if ("problem" in answer) throw new Error(`the search gave up: ${answer.problem}`);
      return answer;
    } finally {
      clearTimeout(timer);
      leftMs = Math.max(1, leftMs - (performance.now() - startedMs));
    }
  };

  return {
    async *search(bytes, limit) {
      let answer = await ask({ bytes, limit });
      yield answer.found;
      while (answer.isMore) {
        answer = await ask("more");
        yield answer.found;
      }
    },
    close() {
      signal.removeEventListener("abort", onAbort);
      void worker.terminate();
    },
  };
}

function asked(worker: Worker, task: SearchTask): Promise<SearchAnswer> {
  return new Promise((resolve) => {
    worker.once("message", resolve);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(task);
  });
}
