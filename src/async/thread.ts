import { Worker } from "node:worker_threads";

export interface ThreadOptions {
  /** Program of the thread: it gets the task as `workerData` and answers with one message. */
  program: string;
  task: object;
  transfer?: ArrayBuffer[];
  signal: AbortSignal;
  limitMs: number;
  /** Message of the error when the limit is exceeded. */
  tooLong: string;
  memoryMb: number;
}

/** Computes in a thread what would block this one. The thread ends with its answer, the signal, or the limit. */
export async function inThread<T>(options: ThreadOptions): Promise<T> {
  const { program, task, transfer = [], signal, limitMs, tooLong, memoryMb } = options;
  signal.throwIfAborted();
  const worker = new Worker(program, {
    workerData: task,
    transferList: transfer,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject).once("messageerror", reject);
      timer = setTimeout(() => reject(new Error(tooLong)), limitMs);
      onAbort = () => reject(new Error("canceled"));
      signal.addEventListener("abort", onAbort, { once: true });
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    void worker.terminate();
  }
}
