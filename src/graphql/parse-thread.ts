/**
 * Parses what is long in a thread: a file of megabytes in a query would keep the daemon from all else meanwhile. The thread
 * ends with its request.
 */
import path from "node:path";
import { GraphQLError, type DocumentNode } from "graphql";
import { inThread, type Budget } from "../async/index.ts";
import { packageRoot } from "../paths/index.ts";
import { rebuilt, type FlatTree } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";
import { requestIn, type GraphqlRequest } from "./request-body.ts";

/** What is shorter is parsed at once, in less time than a thread takes to start. */
const longChars = 256 * 1024;
const longBytes = 1024 * 1024;
const limitMs = 60_000;
const memoryMb = 2048;

export type ParseTask = { query: string } | { body: Uint8Array };
export type DocumentAnswer = { document: FlatTree } | { problem: string; isSyntax: boolean };
export type BodyAnswer = { request: GraphqlRequest | string };

/** Throws as `parseRequest` does; a long document's nodes have no locations. */
export async function parseBeside(query: string, signal: AbortSignal, threads: Budget): Promise<DocumentNode> {
  if (query.length <= longChars) return parseRequest(query, queryLimits);
  const done = await threads.take(1, signal);
  const answer = await parsed<DocumentAnswer>({ query }, signal).finally(done);
  if ("document" in answer) return rebuilt(answer.document) as DocumentNode;
  throw answer.isSyntax ? new GraphQLError(answer.problem) : new Error(answer.problem);
}

/** The request that is in a body, or in words what is wrong with it. */
export async function requestBeside(
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
    // Of a long body there is only ever one.
    transfer: "body" in task && isWhole(task.body) ? [task.body.buffer as ArrayBuffer] : [],
    signal,
    limitMs,
    tooLong: `the query was not parsed within ${limitMs / 1000} s`,
    memoryMb,
  });
}

/** A small buffer is a part of one that others use. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength;
}
