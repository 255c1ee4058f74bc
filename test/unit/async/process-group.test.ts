import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { signalGroup } from "../../../src/async/index.ts";

it("a signal reaches all processes of a child's group", async () => {
  const child = spawn("sh", ["-c", "sleep 600 & echo started; wait"], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(signalGroup(child, 0)).toBe(true);
  expect(signalGroup(child, "SIGKILL")).toBe(true);
  // The sleeping process holds the output open until it ends.
  await once(child, "close");
});

it("a group of which no process is left gets no signal", async () => {
  const child = spawn("true", { detached: true });
  await once(child, "exit");
  expect(signalGroup(child, "SIGTERM")).toBe(false);
});

it("a program that could not be started has no group", async () => {
  const child = spawn("/nowhere/gone", { detached: true });
  await once(child, "error");
  expect(signalGroup(child, "SIGTERM")).toBe(false);
});
