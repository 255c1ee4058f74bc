/** Entry point of the worker thread that parse-thread.ts starts. */
import { parentPort, workerData } from "node:worker_threads";
import { GraphQLError } from "graphql";
import { flat } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";
import type { BodyAnswer, DocumentAnswer, ParseTask } from "./parse-thread.ts";
import { requestIn } from "./request-body.ts";

function answer(task: ParseTask): DocumentAnswer | BodyAnswer {
  if ("body" in task) return { request: requestIn(task.body) };
  try {
    return { document: flat(parseRequest(task.query, queryLimits, { noLocation: true })) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), isSyntax: error instanceof GraphQLError };
  }
}

try {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(answer(workerData as ParseTask));
} catch {
  // Structured cloning is recursive, so it fails for deeply nested values.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage({ request: "the variables are nested too deep" } satisfies BodyAnswer);
}
