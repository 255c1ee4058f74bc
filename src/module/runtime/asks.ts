/** Requests of bodies that only the parent process can answer. */
import { calls } from "./call-context.ts";
import type { DependencyCall, DependencyValue, FromRuntime, RuntimeError, ToRuntime } from "./protocol.ts";

export class Asks {
  private readonly send: (message: FromRuntime) => void;
  private readonly open = new Map<
    number,
    { resolve: (value: DependencyValue) => void; reject: (error: Error) => void }
  >();
  private next = 1;

  constructor(send: (message: FromRuntime) => void) {
    this.send = send;
  }

  readonly ask = (request: DependencyCall): Promise<DependencyValue> => {
    const call = calls.getStore();
    if (call === undefined)
      return Promise.reject(new Error("functions of other modules can be called while a function runs, not before"));
    const ask = this.next++;
    return new Promise((resolve, reject) => {
      this.open.set(ask, { resolve, reject });
      this.send({ kind: "ask", ask, call: call.id, request });
    });
  };

  settle(message: Extract<ToRuntime, { kind: "answer" | "refusal" }>): void {
    const question = this.open.get(message.ask);
    this.open.delete(message.ask);
    if (message.kind === "answer") question?.resolve(message.value);
    else question?.reject(errorOf(message.error));
  }
}

/** Keeps the output and exit code of an exec that failed in another module. */
function errorOf({ message, name, exec }: RuntimeError): Error {
  const error = Object.assign(new Error(message), { name });
  return exec === undefined ? error : Object.assign(error, { ...exec, cmd: exec.command });
}
