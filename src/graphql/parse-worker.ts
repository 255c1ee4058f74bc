/** The thread of `parseBeside`. */
import { parentPort, workerData } from "node:worker_threads";
import { GraphQLError } from "graphql";
import { flat } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";
import type { ParseAnswer } from "./parse-thread.ts";

function answer(): ParseAnswer {
  try {
    return { document: flat(parseRequest(workerData as string, queryLimits, { noLocation: true })) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), isSyntax: error instanceof GraphQLError };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(answer());
