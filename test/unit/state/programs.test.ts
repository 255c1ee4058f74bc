import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isBuilt, programState, recordPrograms, requireBuilt } from "../../../src/state/index.ts";

let folder: string;
let env: NodeJS.ProcessEnv;
let program: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-programs-"));
  env = { HOME: folder, XDG_STATE_HOME: path.join(folder, "state"), XDG_CACHE_HOME: path.join(folder, "cache") };
  program = path.join(folder, "cache/fastloop/tools/buildkitd");
  mkdirSync(path.dirname(program), { recursive: true });
  writeFileSync(program, "the program", { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const digests = (): string => path.join(folder, "state/fastloop/programs");
const refusal = { code: "engine-unavailable", hint: "`fastloop setup` rebuilds it" };
const changed = { ...refusal, message: "buildkitd is not run: it is not what set-up built, it was changed since" };

it("a program that set-up built is run as long as it is that, and again when set-up has built it anew", () => {
  recordPrograms([program], env);
  expect([programState(program, env), requireBuilt(program, env)]).toEqual(["built", program]);
  appendFileSync(program, "!");
  expect(programState(program, env)).toBe("changed");
  expect(() => requireBuilt(program, env)).toThrow(expect.objectContaining({ ...changed, place: program }) as Error);
  recordPrograms([program], env);
  expect(requireBuilt(program, env)).toBe(program);
});

it("a program without a digest gets one at its first use, where only this user could have changed it", () => {
  expect(programState(program, env)).toBe("unknown");
  chmodSync(path.dirname(program), 0o777);
  expect(() => requireBuilt(program, env)).toThrow(
    expect.objectContaining({
      ...refusal,
      message: expect.stringContaining("can be written by everyone") as string,
    }) as Error,
  );
  chmodSync(path.dirname(program), 0o755);
  expect([requireBuilt(program, env), programState(program, env)]).toEqual([program, "built"]);
  appendFileSync(program, "!");
  expect(() => requireBuilt(program, env)).toThrow(expect.objectContaining(changed) as Error);
});

it("set-up builds anew what would not be run", () => {
  expect([isBuilt(program, env), isBuilt(path.join(path.dirname(program), "absent"), env)]).toEqual([true, false]);
  chmodSync(path.dirname(program), 0o777);
  expect([isBuilt(program, env), programState(program, env)]).toEqual([false, "unknown"]);
  recordPrograms([program], env);
  expect([isBuilt(program, env), requireBuilt(program, env)]).toEqual([true, program]);
  appendFileSync(program, "!");
  expect(isBuilt(program, env)).toBe(false);
});

it("a digest counts only as this user wrote it, for its own program", () => {
  const other = path.join(path.dirname(program), "shim");
  writeFileSync(other, "another program", { mode: 0o755 });
  recordPrograms([program], env);
  const [name = ""] = readdirSync(digests());
  const file = path.join(digests(), name);
  const written = readFileSync(file, "utf8");
  for (const text of ["", "{}", written.replace("the", "xxx"), written.replace(/"digest":"./, '"digest":"f')]) {
    writeFileSync(file, text);
    expect(programState(program, env), text).toBe(text === written ? "built" : "changed");
  }
  recordPrograms([other], env);
  const [of] = readdirSync(digests()).filter((each) => each !== name);
  writeFileSync(file, readFileSync(path.join(digests(), of!)));
  expect(programState(program, env)).toBe("changed");
});

it("what lies outside of the cache is not set-up's, and what is not there is not its business", () => {
  const installed = path.join(folder, "node_modules/engine/buildkitd");
  expect(requireBuilt(installed, env)).toBe(installed);
  const absent = path.join(path.dirname(program), "absent");
  expect(requireBuilt(absent, env)).toBe(absent);
});

it("a state that can't be written has no digests, and programs run by the look at their place", () => {
  writeFileSync(path.join(folder, "state"), "no folder");
  recordPrograms([program], env);
  expect([programState(program, env), requireBuilt(program, env)]).toEqual(["unknown", program]);
});

it("what npm has installed is not set-up's: it is neither built nor refused, whoever may write there", () => {
  const installed = path.join(folder, "node_modules/@fastloop/engine-linux-x64/bin/buildkitd");
  mkdirSync(path.dirname(installed), { recursive: true });
  writeFileSync(installed, "the program", { mode: 0o755 });
  chmodSync(path.dirname(installed), 0o777);
  expect([isBuilt(installed, env), requireBuilt(installed, env)]).toEqual([true, installed]);
});
