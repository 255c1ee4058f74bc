/** The thread of one search: it is given files one by one, and ended with the request that wanted it. */
import { parentPort, workerData } from "node:worker_threads";
import type { SearchAnswer, SearchTask, SearchWork } from "./thread.ts";
import { compilePattern, searchText } from "./search-text.ts";

const port = parentPort;
if (port === null) throw new Error("this is a thread of the engine daemon's");
const work = workerData as SearchWork;

function answerTo({ bytes, limit }: SearchTask): SearchAnswer {
  try {
    return { found: searchText(Buffer.from(bytes).toString("utf8"), expression, work.multiline, limit) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const expression = compilePattern(work);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
port.on("message", (task: SearchTask) => port.postMessage(answerTo(task)));
