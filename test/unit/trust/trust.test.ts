import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  describeAsk,
  digestOfAsks,
  hostProcessAsk,
  refusal,
  Trust,
  trustMode,
  TrustStore,
  type Ask,
} from "../../../src/trust/index.ts";

const root = mkdtempSync(path.join(tmpdir(), "fastloop-trust-unit-"));
const variable: Ask = { kind: "variable", what: "TOKEN", by: "deploy --token", place: "fastloop.yaml:4:5" };
const command: Ask = { kind: "command", what: "pass show x", by: "deploy --token" };

describe("the user's word on a project", () => {
  let env: NodeJS.ProcessEnv;
  let project = "";
  beforeEach(() => {
    const folder = mkdtempSync(path.join(root, "x-"));
    env = { XDG_STATE_HOME: path.join(folder, "state") };
    project = path.join(folder, "project");
    mkdirSync(project);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const missing = (asks: Ask[], mode = trustMode(undefined, env)): Ask[] =>
    new Trust(project, asks, mode, env).missing();

  it("allows nothing before it is given, and what it named afterwards, wherever that moves", () => {
    expect(missing([variable])).toEqual([variable]);
    new TrustStore(env).write(project, [variable]);
    expect(missing([{ ...variable, place: "fastloop.yaml:99:1" }])).toEqual([]);
  });

  it("does not allow what was added, nor the same thing for another argument", () => {
    new TrustStore(env).write(project, [variable]);
    const other = { ...variable, by: "steal --token" };
    expect(missing([variable, command, other])).toEqual([command, other]);
  });

  it("holds for a project through a link, and for no other folder", () => {
    new TrustStore(env).write(project, [variable]);
    const link = `${project}-link`;
    symlinkSync(project, link);
    expect(new Trust(link, [variable], "stored", env).missing()).toEqual([]);
    expect(new Trust(path.dirname(project), [variable], "stored", env).missing()).toEqual([variable]);
  });

  it("is kept for its owner alone, and counts for nothing when others can write it, or when it is damaged", () => {
    const store = new TrustStore(env);
    store.write(project, [variable]);
    const file = store.fileOf(project);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o622);
    expect(missing([variable])).toEqual([variable]);
    for (const text of [
      "",
      "[]",
      "null",
      '{"version":1}',
      `{"version":1,"project":${JSON.stringify(project)},"trustedAt":"","asks":[1]}`,
    ]) {
      rmSync(file);
      writeFileSync(file, text, { mode: 0o600 });
      expect(missing([variable])).toEqual([variable]);
    }
    rmSync(file);
    mkdirSync(file);
    expect(missing([variable])).toEqual([variable]);
  });

  it("is no other project's when its file is copied", () => {
    const store = new TrustStore(env);
    store.write(project, [variable]);
    const other = `${project}-other`;
    mkdirSync(other);
    symlinkSync(store.fileOf(project), store.fileOf(other));
    expect(new Trust(other, [variable], "stored", env).missing()).toEqual([variable]);
  });

  it("can be taken back", () => {
    const store = new TrustStore(env);
    store.write(project, [variable]);
    expect(store.list().map((stored) => stored.project)).toEqual([project]);
    expect([store.remove(project), store.remove(project)]).toEqual([true, false]);
    expect(missing([variable])).toEqual([variable]);
  });

  it("is a flag's first, then the environment's, then the stored one", () => {
    new TrustStore(env).write(project, [variable]);
    expect(missing([variable], trustMode(false, { FASTLOOP_TRUST: "1" }))).toEqual([variable]);
    expect(missing([command], trustMode(true, { FASTLOOP_TRUST: "0" }))).toEqual([]);
    expect(missing([command], trustMode(undefined, { FASTLOOP_TRUST: "1" }))).toEqual([]);
    expect(missing([variable], trustMode(undefined, { FASTLOOP_TRUST: "0" }))).toEqual([variable]);
    expect(() => trustMode(undefined, { FASTLOOP_TRUST: "yes please" })).toThrow("digests of `fastloop trust --show`");
  });

  it("can be a digest, of exactly what was asked: a pull request that asks for more has another", () => {
    const mode = trustMode(undefined, { FASTLOOP_TRUST: `${"0".repeat(32)}, ${digestOfAsks([command, variable])}` });
    expect(missing([variable, command], mode)).toEqual([]);
    expect(missing([variable, command, { ...variable, by: "steal --s" }], mode)).toHaveLength(3);
    expect(missing([variable], mode)).toEqual([variable]);
  });

  it("is needed for bodies without a boundary", () => {
    const ask = hostProcessAsk("ci");
    // Of a project that asks for nothing else.
    const allows = (mode = trustMode(undefined, env)): boolean => new Trust(project, [], mode, env).allows(ask);
    expect([
      allows(),
      allows("all"),
      allows({ digests: [digestOfAsks([ask])] }),
      allows({ digests: [digestOfAsks([])] }),
    ]).toEqual([false, true, true, false]);
    new TrustStore(env).write(project, [ask]);
    expect([allows(), allows("none")]).toEqual([true, false]);
    expect(describeAsk(ask)).toBe("module ci runs function bodies on this machine without a boundary");
  });
});

describe("a refusal", () => {
  it("names what was asked, where, and the command", () => {
    const error = refusal([variable, command]);
    expect(error).toMatchObject({ code: "untrusted", exitCode: 2, place: "fastloop.yaml:4:5" });
    expect(error.format()).toBe(
      "fastloop.yaml:4:5: deploy --token reads your variable TOKEN: this needs your trust\n" +
        "deploy --token runs the command `pass show x`\n" +
        "hint: see all requests with `fastloop trust --show`, and allow them with `fastloop trust`, or for one command with --trust",
    );
  });

  it("prints no control characters of a command that would hide a part of it", () => {
    expect(describeAsk({ ...command, what: "ls\u001b[2K\u202E\rid" })).toBe(
      "deploy --token runs the command `ls\\u001b[2K\\u202e\\rid`",
    );
  });
});
