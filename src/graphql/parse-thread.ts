/** Parses long documents in a thread: a file of megabytes in a query would keep the daemon from all else meanwhile. */
import path from "node:path";
import { Worker } from "node:worker_threads";
import { GraphQLError, type DocumentNode } from "graphql";
import { packageRoot } from "../paths/index.ts";
import { rebuilt, type FlatTree } from "./flat-tree.ts";
import { parseRequest, queryLimits } from "./parse.ts";

/** What is shorter is parsed at once, in less time than a thread takes to start. */
const longChars = 256 * 1024;
const limitMs = 60_000;

export type ParseAnswer = { document: FlatTree } | { problem: string; isSyntax: boolean };

/** Throws as `parseRequest` does; a long document's nodes have no locations. */
export async function parseBeside(query: string, signal: AbortSignal): Promise<DocumentNode> {
  if (query.length <= longChars) return parseRequest(query, queryLimits);
  signal.throwIfAborted();
  const worker = new Worker(path.join(packageRoot(), "dist", "parse-worker.js"), {
    workerData: query,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    const answer = await new Promise<ParseAnswer>((resolve, reject) => {
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
    if ("document" in answer) return rebuilt(answer.document) as DocumentNode;
    throw answer.isSyntax ? new GraphQLError(answer.problem) : new Error(answer.problem);
  } finally {
    void worker.terminate();
  }
}
