/** Entry point of the worker thread that json-thread.ts starts. */
import { parentPort, workerData } from "node:worker_threads";
import { jsonWork, type JsonTask } from "./json-work.ts";
import type { JsonAnswer } from "./json-thread.ts";

function answer(task: JsonTask): JsonAnswer {
  try {
    return { result: jsonWork(task) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(answer(workerData as JsonTask));
