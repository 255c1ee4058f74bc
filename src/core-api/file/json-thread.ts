/** Processes JSON documents: long ones in a worker thread, which ends with its request, and short ones inline. */
import path from "node:path";
import { inThread } from "../../async/index.ts";
import { packageRoot } from "../../paths/index.ts";
import type { Call } from "../request/call.ts";
import { ApiError } from "../values/errors.ts";
import { JsonProblem, jsonWork, type JsonResult, type JsonTask } from "./json-work.ts";

/** Documents below this length take less time than starting a thread. */
const longChars = 256 * 1024;
const limitMs = 60_000;
const memoryMb = 1024;

export type JsonAnswer = { result: string | string[] | number | boolean } | { problem: string };

/** Runs one task on a JSON document. Throws an `ApiError` that says what is wrong with the document. */
export async function jsonInThread<Task extends JsonTask>(task: Task, call: Call): Promise<JsonResult<Task>> {
  const answer = isLong(task) ? await beside(task, call) : atOnce(task);
  if ("problem" in answer) throw new ApiError(answer.problem);
  return answer.result as JsonResult<Task>;
}

function atOnce(task: JsonTask): JsonAnswer {
  try {
    return { result: jsonWork(task) };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return { problem: error.message };
  }
}

async function beside(task: JsonTask, { session, signal }: Call): Promise<JsonAnswer> {
  const done = await session.threads.take(1, signal);
  try {
    return await inThread<JsonAnswer>({
      program: path.join(packageRoot(), "dist", "json-worker.js"),
      task,
      signal,
      limitMs,
      tooLong: `the JSON document took more than ${limitMs / 1000} s`,
      memoryMb,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
    return { problem: `the JSON document takes more than ${memoryMb} MB of memory` };
  } finally {
    done();
  }
}

function isLong(task: JsonTask): boolean {
  const { json } = task;
  if (task.kind === "insert" && task.value.length > longChars) return true;
  // Indentation can add up to one indent per nesting level to each line.
  const perChar = task.kind === "pretty" ? 1 + deepest(json.slice(0, longChars)) * Math.min(task.indent.length, 10) : 1;
  return json.length * perChar > longChars;
}

/** Returns the deepest nesting in the text. */
function deepest(json: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/g)) {
    if (token === "[" || token === "{") most = Math.max(most, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return most;
}
