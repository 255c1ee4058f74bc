import { expect, it } from "vitest";
import type { EngineEvent } from "../../../src/engine/index.ts";
import { StepLines } from "../../../src/report/index.ts";

const begin = (step: string, name: string): EngineEvent => ({ kind: "step-started", step, name });
const log = (step: string, text: string, stream: "stdout" | "stderr" = "stdout"): EngineEvent => ({
  kind: "log",
  step,
  stream,
  text,
});
const end = (step: string): EngineEvent => ({ kind: "step-done", step, name: step, cached: false, durationMs: 1 });

it("names the step before each of its lines, however the pieces come", () => {
  const output = new StepLines();
  const events = [
    begin("1", "service db: postgres"),
    begin("2", "exec npm test"),
    log("1", "start"),
    log("2", "one\ntw"),
    log("1", "ing\nready\n"),
    log("2", "warned\n", "stderr"),
    log("2", "o"),
    end("2"),
    end("1"),
  ];
  expect(events.flatMap((event) => output.lines(event))).toEqual([
    "exec npm test | one",
    "service db: postgres | starting",
    "service db: postgres | ready",
    "exec npm test | warned",
    "exec npm test | two",
  ]);
});

it("shortens a script's name to one line, and prints what belongs to no step as it is", () => {
  const output = new StepLines();
  output.lines(begin("1", `exec sh -c ${"set -e\n".repeat(30)}`));
  const [line] = output.lines(log("1", "x\n"));
  expect(line).toMatch(/^exec sh -c set -e; set -e.{20,40}… \| x$/);
  expect(output.lines(log("unknown", "y\n"))).toEqual(["y"]);
});
