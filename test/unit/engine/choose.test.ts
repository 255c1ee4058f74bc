import { describe, expect, it } from "vitest";
import { chooseEngine, type Machine } from "../../../src/engine/choose.ts";

interface Given {
  env?: Record<string, string>;
  programs?: Record<string, string>;
  runtime?: { name: string } | { missing: string };
  runnerHostProblem?: string;
  built?: string;
  unsafe?: string;
}

function machine(given: Given): Machine {
  return {
    env: given.env ?? {},
    findExecutable: (name) => given.programs?.[name],
    findSafeExecutable: (name) => ({
      file: given.unsafe === undefined ? given.programs?.[name] : undefined,
      passedOver: given.unsafe === undefined ? [] : [given.unsafe],
    }),
    containerRuntime: () => Promise.resolve(given.runtime ?? { missing: "no docker is installed" }),
    runnerHostProblem: () => Promise.resolve(given.runnerHostProblem),
    builtBuildkitd: () => given.built,
  };
}

const everything: Given = {
  env: {
    DAGGER_SESSION_PORT: "4711",
    DAGGER_SESSION_TOKEN: "t",
    _EXPERIMENTAL_DAGGER_RUNNER_HOST: "unix:///run/dagger.sock",
    BUILDKIT_HOST: "unix:///run/buildkit.sock",
  },
  programs: { dagger: "/bin/dagger", buildkitd: "/bin/buildkitd" },
  runtime: { name: "docker" },
  built: "/cache/buildkitd",
};

/** Everything, with the named things taken away. */
function without(...names: string[]): Given {
  const drop = (record: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
  return {
    env: drop(everything.env ?? {}),
    programs: drop(everything.programs ?? {}),
    ...(names.includes("runtime") ? {} : { runtime: { name: "docker" } }),
    ...(names.includes("built") ? {} : { built: "/cache/buildkitd" }),
  };
}

const choose = async (given: Given, engine = "auto", buildkitHost?: string) =>
  (await chooseEngine({ engine, ...(buildkitHost === undefined ? {} : { buildkitHost }) }, machine(given))).choice;

describe("--engine auto", () => {
  const session = ["DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN"];
  const runner = [...session, "_EXPERIMENTAL_DAGGER_RUNNER_HOST"];

  it("takes the session that the environment names before all else", async () => {
    expect(await choose(everything)).toMatchObject({ kind: "dagger-session", port: 4711, token: "t" });
  });

  it("then the engine that the environment names, through the dagger CLI", async () => {
    expect(await choose(without(...session))).toMatchObject({ kind: "dagger-cli", command: "/bin/dagger" });
    expect((await choose(without(...session))).reason).toContain("unix:///run/dagger.sock");
  });

  it("reaches the engine that the environment names by the SDK where there is no dagger CLI", async () => {
    expect(await choose(without(...session, "dagger"))).toMatchObject({ kind: "dagger-sdk" });
  });

  it("then a dagger CLI with a container runtime that answers", async () => {
    const choice = await choose(without(...runner));
    expect(choice).toMatchObject({ kind: "dagger-cli", command: "/bin/dagger" });
    expect(choice.reason).toContain("docker answers");
  });

  it("then a container runtime alone", async () => {
    expect(await choose(without(...runner, "dagger"))).toMatchObject({ kind: "dagger-sdk" });
  });

  it("passes over a dagger CLI whose container runtime does not answer", async () => {
    expect(await choose(without(...runner, "runtime"))).toMatchObject({
      kind: "buildkit-host",
      address: "unix:///run/buildkit.sock",
    });
  });

  it("then BUILDKIT_HOST, buildkitd on the PATH, the one that set-up built, and the one that it will build", async () => {
    const bare = [...runner, "runtime"];
    expect(await choose(without(...bare))).toMatchObject({ kind: "buildkit-host" });
    expect(await choose(without(...bare, "BUILDKIT_HOST"))).toMatchObject({
      kind: "buildkitd",
      command: "/bin/buildkitd",
    });
    expect(await choose(without(...bare, "BUILDKIT_HOST", "buildkitd"))).toMatchObject({ command: "/cache/buildkitd" });
    expect(await choose(without(...bare, "BUILDKIT_HOST", "buildkitd", "built"))).toMatchObject({
      kind: "buildkitd",
      command: undefined,
    });
  });

  it("takes an address given as an option before a Dagger engine", async () => {
    expect(await choose(everything, "auto", "tcp://build:1234")).toMatchObject({
      kind: "buildkit-host",
      address: "tcp://build:1234",
    });
  });

  it("keeps account of what it passed over and why", async () => {
    const { considered } = await chooseEngine({ engine: "auto" }, machine({ built: "/cache/buildkitd" }));
    expect(considered.map(({ available }) => available)).toEqual([false, false, false, false, false, true]);
    expect(considered.find(({ name }) => name.startsWith("dagger CLI"))?.why).toBe("no docker is installed");
  });
});

describe("what the environment names", () => {
  it("is an error, not passed over, when the engine does not answer", async () => {
    const env = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: "unix:///gone.sock" };
    await expect(choose({ env, runnerHostProblem: "ENOENT", built: "/b" })).rejects.toMatchObject({
      code: "engine-unavailable",
      exitCode: 3,
      place: "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
    });
  });

  it("is an error when a session's port comes without a token", async () => {
    await expect(choose({ env: { DAGGER_SESSION_PORT: "1" } })).rejects.toMatchObject({ code: "usage", exitCode: 2 });
  });

  it("names the dagger CLI too", async () => {
    const env = { _EXPERIMENTAL_DAGGER_CLI_BIN: "/opt/dagger" };
    const programs = { "/opt/dagger": "/opt/dagger", dagger: "/bin/dagger" };
    expect(await choose({ env, programs, runtime: { name: "podman" } })).toMatchObject({ command: "/opt/dagger" });
  });
});

describe("--engine", () => {
  it("embedded looks at no Dagger engine", async () => {
    expect(await choose(without("BUILDKIT_HOST", "buildkitd"), "embedded")).toMatchObject({
      command: "/cache/buildkitd",
    });
  });

  it("dagger takes no embedded engine, and says what is missing", async () => {
    const given = { built: "/cache/buildkitd", runtime: { missing: "docker is installed, but it does not run" } };
    await expect(choose(given, "dagger")).rejects.toMatchObject({
      exitCode: 3,
      detail: expect.stringContaining("docker is installed, but it does not run") as string,
    });
  });

  it("refuses any other word", async () => {
    await expect(choose(everything, "kubernetes")).rejects.toMatchObject({ exitCode: 2, place: "--engine" });
  });
});

it("passes over a buildkitd that others could have put there, and tells of it", async () => {
  const unsafe = "/opt/bin/buildkitd: /opt/bin can be written by everyone";
  const { choice, considered } = await chooseEngine(
    { engine: "embedded" },
    machine({ programs: { buildkitd: "/opt/bin/buildkitd" }, unsafe, built: "/cache/buildkitd" }),
  );
  expect(choice).toMatchObject({ kind: "buildkitd", command: "/cache/buildkitd", passedOver: [unsafe] });
  expect(considered.map(({ why }) => why)).toContain(`passed over, as it would run as root: ${unsafe}`);
});
