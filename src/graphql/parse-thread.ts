/**
 * Parses what is long in a thread: a file of megabytes in a query would keep the daemon from all else meanwhile. The thread
 * ends with its request.
 */
import path from "node:path";
import { Worker } from "node:worker_threads";
import { GraphQLError, type DocumentNode } from "graphql";
import { packageRoot } from "../paths/index.ts";
import { rebuilt, type FlatTree } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";
import { requestIn, type GraphqlRequest } from "./request-body.ts";

/** What is shorter is parsed at once, in less time than a thread takes to start. */
const longChars = 256 * 1024;
const longBytes = 1024 * 1024;
const limitMs = 60_000;

export type ParseTask = { query: string } | { body: Uint8Array };
export type DocumentAnswer = { document: FlatTree } | { problem: string; isSyntax: boolean };
export type BodyAnswer = { request: GraphqlRequest | string };

/** Throws as `parseRequest` does; a long document's nodes have no locations. */
export async function parseBeside(query: string, signal: AbortSignal): Promise<DocumentNode> {
  if (query.length <= longChars) return parseRequest(query, queryLimits);
  const answer = await inThread<DocumentAnswer>({ query }, signal);
  if ("document" in answer) return rebuilt(answer.document) as DocumentNode;
  throw answer.isSyntax ? new GraphQLError(answer.problem) : new Error(answer.problem);
}

/** The request that is in a body, or in words what is wrong with it. */
export async function requestBeside(body: Buffer, signal: AbortSignal): Promise<GraphqlRequest | string> {
  if (body.length <= longBytes) return requestIn(body);
  return (await inThread<BodyAnswer>({ body }, signal)).request;
}

async function inThread<T>(task: ParseTask, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const worker = new Worker(path.join(packageRoot(), "dist", "parse-worker.js"), {
    workerData: task,
    // Of a long body there is only ever one.
    transferList: "body" in task && isWhole(task.body) ? [task.body.buffer as ArrayBuffer] : [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject).once("messageerror", reject);
      timeout.addEventListener(
        "abort",
        () =>
          reject(
            signal.aborted ? new Error("canceled") : new Error(`the query was not parsed within ${limitMs / 1000} s`),
          ),
        { once: true },
      );
    });
  } finally {
    void worker.terminate();
  }
}

/** A small buffer is a part of one that others use. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}
