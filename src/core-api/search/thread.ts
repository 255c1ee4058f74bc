/**
 * A search in a thread of its own: the daemon's other work goes on beside it, and whatever the pattern and the files are,
 * the search has a limit of time and memory and ends with the request.
 */
import path from "node:path";
import { Worker } from "node:worker_threads";
import { orAborted } from "../../async/index.ts";
import { packageRoot } from "../../paths/index.ts";
import { compilePattern, type Found, type SearchPattern } from "./search-text.ts";

export type SearchWork = SearchPattern;

/** A file to search, or the wish for more of what was found in the last one. */
export type SearchTask = { bytes: Uint8Array; limit: number } | "more";

export type SearchAnswer = { found: Found[]; isMore: boolean } | { problem: string };

export interface SearchThread {
  /** Searches one file's content; results come a few at a time. Throws where the thread was ended or gave up. */
  search(bytes: Uint8Array, limit: number): AsyncGenerator<Found[]>;
  close(): void;
}

/** So much computing for one search; the time that files take to come from BuildKit does not count. */
const limitMs = 60_000;
const maxPatternChars = 16 * 1024;
const memoryMb = 512;

/** Throws a `RangeError` where the pattern means nothing. */
export function startSearch(pattern: SearchPattern, signal: AbortSignal): SearchThread {
  if (pattern.pattern.length > maxPatternChars)
    throw new RangeError(`it has ${pattern.pattern.length} characters; the limit is ${maxPatternChars}`);
  // Here as well: what is wrong with it is told before anything starts.
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
