import { Worker } from "node:worker_threads";

export interface ThreadOptions {
  /** The program of the thread: it is given the task as `workerData` and answers with one message. */
  program: string;
  task: object;
  transfer?: ArrayBuffer[];
  signal: AbortSignal;
  limitMs: number;
  /** The error of one that took longer. */
  tooLong: string;
  memoryMb: number;
}

/** Computes in a thread what would keep this one from all else; the thread ends with its answer, the signal or the limit. */
export async function inThread<T>(options: ThreadOptions): Promise<T> {
  const { program, task, transfer = [], signal, limitMs, tooLong, memoryMb } = options;
  signal.throwIfAborted();
  const worker = new Worker(program, {
    workerData: task,
    transferList: transfer,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject).once("messageerror", reject);
      timeout.addEventListener("abort", () => reject(new Error(signal.aborted ? "canceled" : tooLong)), { once: true });
    });
  } finally {
    void worker.terminate();
  }
}
