import { describe, it } from "vitest";
import { findExecutable } from "../../../src/paths/index.ts";
import { daggerIsNamed, nameDaggerEngine } from "../session.ts";
import { fastloopCaller, moduleSuite } from "./suite.ts";

/** The engine builds its part of the SDK for the first module that it sees. */
const firstCallMs = 300_000;

if (daggerIsNamed) {
  nameDaggerEngine();
  describe("a module's bodies in the function runtime on a Dagger engine", () =>
    moduleSuite(() => fastloopCaller(["--engine", "dagger"])));
  describe("a module that a Dagger engine serves", () =>
    moduleSuite(() => fastloopCaller(["--engine", "dagger", "--via", "module"]), firstCallMs));
  // `dagger call` itself takes seconds a case: once, for the record.
  const dagger = findExecutable(process.env["_EXPERIMENTAL_DAGGER_CLI_BIN"] ?? "dagger");
  if (process.env["FASTLOOP_TEST_DAGGER_CALL"] !== undefined && dagger !== undefined) {
    describe("dagger call", () =>
      moduleSuite(() => ({ file: dagger, args: ["--silent", "call"], isDagger: true }), firstCallMs));
  }
} else {
  console.log("conformance: no Dagger engine is named; modules are not called on one");
  it.skip("a module on a Dagger engine gives the same", () => undefined);
}
