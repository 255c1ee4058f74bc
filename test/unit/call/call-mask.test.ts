import { describe, expect, it } from "vitest";
import { CallMask } from "../../../src/call/index.ts";
import { ExecFailure, type EngineEvent, type EngineSession } from "../../../src/engine/index.ts";
import { UserError } from "../../../src/errors/index.ts";
import { FunctionError } from "../../../src/module/index.ts";

const sessionOf = (kind: "dagger" | "embedded") => ({ engine: { kind } }) as EngineSession;
const notices: string[] = [];

function maskOf(...secrets: string[]): CallMask {
  const mask = new CallMask();
  for (const secret of secrets)
    mask.add(secret, "env://TOKEN", sessionOf("embedded"), (text) => void notices.push(text));
  return mask;
}
const log = (step: string, text: string): EngineEvent => ({ kind: "log", step, stream: "stdout", text });

describe("what a call tells has no secret of its own:", () => {
  it("names and errors of steps, notices, and logs wherever they are cut", () => {
    const mask = maskOf("hunter2");
    const told: EngineEvent[] = [];
    const events: EngineEvent[] = [
      { kind: "step-started", step: "hunter2", name: "exec login hunter2" },
      log("hunter2", "a hun"),
      log("other", "ter2 of another step\n"),
      log("hunter2", "ter2 b hun"),
      {
        kind: "step-done",
        step: "hunter2",
        name: "exec login hunter2",
        cached: false,
        durationMs: 1,
        error: "no hunter2",
      },
      { kind: "notice", text: "hunter2" },
    ];
    for (const event of events) mask.event(event, (shown) => told.push(shown));
    expect(told).toEqual([
      { kind: "step-started", step: "hunter2", name: "exec login ***" },
      log("hunter2", "a "),
      log("other", "ter2 of another step\n"),
      log("hunter2", "*** b "),
      // What was held back comes before the end of its step.
      log("hunter2", "hun"),
      { kind: "step-done", step: "hunter2", name: "exec login ***", cached: false, durationMs: 1, error: "no ***" },
      { kind: "notice", text: "***" },
    ]);
  });

  it("what a body prints, piece by piece, and the rest at the end", () => {
    const mask = maskOf("hunter2");
    let text = "";
    for (const piece of ["token: hun", "ter2, hunt"])
      mask.log({ callId: "1", stream: "stderr", text: piece }, (shown) => (text += shown.text));
    expect(text).toBe("token: ***, ");
    mask.end();
    expect(text).toBe("token: ***, hunt");
  });

  it("a secret that was given after a stream of a step or a body had begun", () => {
    const mask = maskOf("first-1");
    let text = "";
    const print = (piece: string): void => {
      mask.log({ callId: "1", stream: "stdout", text: piece }, (shown) => (text += shown.text));
      mask.event(log("step", piece), (shown) => (text += shown.kind === "log" ? shown.text : ""));
    };
    print("loaded fir ");
    mask.add("hunter2", "env://P", sessionOf("embedded"), () => undefined);
    for (const piece of ["hun", "ter2 ", "first-1 "]) print(piece);
    mask.end();
    expect(text).not.toMatch(/hunter2|first-1/);
    expect(text.match(/\*\*\*/g)).toHaveLength(4);
  });

  it("errors of every kind, with all that they carry and their causes", () => {
    const mask = maskOf("hunter2");
    const exec = { command: ["login", "hunter2"], exitCode: 3, stdout: "hunter2", stderr: "aHVudGVyMg==" };
    const failure = new FunctionError(
      { name: "Error", message: "exit code: 3", frames: ["at f (src/hunter2.ts:1:1)"], exec },
      { root: "/m", sourceDir: "/m" },
    );
    const failed = new ExecFailure({
      message: "exit code: 3 hunter2",
      extensions: { _type: "EXEC_ERROR", cmd: ["hunter2"], exitCode: 3, stdout: "hunter2", stderr: "" },
    });
    const user = new UserError("function-failed", "hunter2", { place: "hunter2", hint: "hunter2", detail: "hunter2" });
    const bug = new Error("outer", { cause: new TypeError("hunter2") });
    for (const error of [failure, failed, user, bug]) {
      expect(mask.error(error)).toBe(error);
      const all = `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(Object.entries(error))} ${String(error.cause)}`;
      expect(all).not.toMatch(/hunter2|aHVudGVy/);
      expect(all).toContain("***");
    }
    expect([user.code, user.name, failed.exitCode, failed.command]).toEqual([
      "function-failed",
      "UserError",
      3,
      ["***"],
    ]);
    expect(mask.error("thrown hunter2")).toBe("thrown ***");
  });

  it("results, where they are kept", () => {
    const mask = maskOf('hunter "2"');
    expect(mask.value({ $type: "Ci", fields: { a: ['hunter "2"'] } })).toEqual({ $type: "Ci", fields: { a: ["***"] } });
    expect([mask.isIn({ a: ['x hunter "2"'] }), mask.isIn(["hunter"])]).toEqual([true, false]);
  });
});

it("a secret that is too short to mask is told where the engine does not tell it", () => {
  notices.length = 0;
  const tell = (text: string): void => void notices.push(text);
  for (const text of ["ab", "\n", "long enough"]) new CallMask().add(text, "env://TOKEN", sessionOf("dagger"), tell);
  new CallMask().add("ab", "env://TOKEN", sessionOf("embedded"), tell);
  expect(notices).toEqual([
    "the secret env://TOKEN has fewer than four characters: too short to mask in what is printed",
  ]);
});
