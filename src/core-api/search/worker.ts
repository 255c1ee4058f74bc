/** Worker thread of one search. It receives files one by one, and is terminated with the request. */
import { parentPort, workerData } from "node:worker_threads";
import type { SearchAnswer, SearchTask, SearchWork } from "./thread.ts";
import { compilePattern, searchText, type Found } from "./search-text.ts";

const port = parentPort;
if (port === null) throw new Error("this is a thread of the engine daemon's");
const work = workerData as SearchWork;

/** Number of results in one message. While the daemon reads a message, it does nothing else. */
const atATime = 1000;

let rest: Found[] = [];

function answerTo(task: SearchTask): SearchAnswer {
  try {
    if (task !== "more")
      rest = searchText(Buffer.from(task.bytes).toString("utf8"), expression, work.multiline, task.limit);
    const found = rest.slice(0, atATime);
    rest = rest.slice(atATime);
    return { found, isMore: rest.length > 0 };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const expression = compilePattern(work);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
port.on("message", (task: SearchTask) => port.postMessage(answerTo(task)));
