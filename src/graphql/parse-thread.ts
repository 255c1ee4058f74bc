/**
 * Parses long queries in a thread, because megabytes of file content in a query would block the daemon. The thread ends
 * with its request.
 */
import path from "node:path";
import { GraphQLError, type DocumentNode } from "graphql";
import { inThread, type Budget } from "../async/index.ts";
import { packageRoot } from "../paths/index.ts";
import { rebuilt, type FlatTree } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";
import { requestIn, type GraphqlRequest } from "./request-body.ts";

/** Shorter input is parsed inline, in less time than a thread takes to start. */
const longChars = 256 * 1024;
const longBytes = 1024 * 1024;
const limitMs = 60_000;
const memoryMb = 2048;

export type ParseTask = { query: string } | { body: Uint8Array };
export type DocumentAnswer = { document: FlatTree } | { problem: string; isSyntax: boolean };
export type BodyAnswer = { request: GraphqlRequest | string };

/** Parses a query. Throws like `parseRequest`; the nodes of a long document have no locations. */
export async function parseInThread(query: string, signal: AbortSignal, threads: Budget): Promise<DocumentNode> {
  if (query.length <= longChars) return parseRequest(query, queryLimits);
  const done = await threads.take(1, signal);
  const answer = await parsed<DocumentAnswer>({ query }, signal).finally(done);
  if ("document" in answer) return rebuilt(answer.document) as DocumentNode;
  throw answer.isSyntax ? new GraphQLError(answer.problem) : new Error(answer.problem);
}

/** Returns the request in a body, or a message that says what is wrong with the body. */
export async function parseRequestInThread(
  body: Buffer,
  signal: AbortSignal,
  threads: Budget,
): Promise<GraphqlRequest | string> {
  if (body.length <= longBytes) return requestIn(body);
  const done = await threads.take(1, signal);
  return (await parsed<BodyAnswer>({ body }, signal).finally(done)).request;
}

function parsed<T>(task: ParseTask, signal: AbortSignal): Promise<T> {
  return inThread({
    program: path.join(packageRoot(), "dist", "parse-worker.js"),
    task,
    // A long body has no other user, so it can be transferred.
    transfer: "body" in task && isWhole(task.body) ? [task.body.buffer as ArrayBuffer] : [],
    signal,
    limitMs,
    tooLong: `the query was not parsed within ${limitMs / 1000} s`,
    memoryMb,
  });
}

/** Reports whether a view covers its whole buffer. A small buffer is part of a pool that others use. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}
