import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";
import { connection, dag } from "@dagger.io/dagger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseContext, ConformanceCase, GraphqlAnswer } from "./cases/case.ts";
import { groups } from "./cases/index.ts";
import { engineIsNamed, openConformanceSession, type ConformanceSession } from "./session.ts";

/** The engine under test may be told to work in a given folder (a Dagger engine reads host paths of its own client). */
const givenWorkdir = process.env["FASTLOOP_TEST_WORKDIR"];

describe.runIf(engineIsNamed)("every engine answers the same", () => {
  let workdir = "";
  let session: ConformanceSession;
  let disconnect = (): void => undefined;
  let connected: Promise<void>;

  beforeAll(async () => {
    workdir = await realpath(givenWorkdir ?? (await mkdtemp(path.join(os.tmpdir(), "conformance-"))));
    session = await openConformanceSession({ workdir });
    process.env["DAGGER_SESSION_PORT"] = String(session.port);
    process.env["DAGGER_SESSION_TOKEN"] = session.token;
    const done = new Promise<void>((resolve) => {
      disconnect = resolve;
    });
    await new Promise<void>((resolve, reject) => {
      connected = connection(() => {
        resolve();
        return done;
      });
      connected.catch(reject);
    });
  }, 60_000);

  afterAll(async () => {
    disconnect();
    await connected;
    await session.close();
    if (givenWorkdir === undefined) await rm(workdir, { recursive: true, force: true });
  }, 60_000);

  for (const [group, cases] of Object.entries(groups)) {
    describe(group, () => {
      for (const conformanceCase of cases) {
        it(conformanceCase.name, { timeout: 120_000 }, async ({ skip }) => {
          const engine = session.engine === "embedded" || process.env["FASTLOOP_TEST_ENGINE"] === "embedded" ? "embedded" : "dagger";
          if (conformanceCase.only !== undefined && conformanceCase.only.engine !== engine) skip(conformanceCase.only.reason);
          await check(conformanceCase, await contextOf(workdir, session));
        });
      }
    });
  }
});

async function contextOf(workdir: string, session: ConformanceSession): Promise<CaseContext> {
  const unique = randomBytes(6).toString("hex");
  const relativeFolder = `case-${unique}`;
  const folder = path.join(workdir, relativeFolder);
  await mkdir(folder);
  return { dag, query: (document, variables) => post(session, document, variables), folder, relativeFolder, unique };
}

async function check(conformanceCase: ConformanceCase, context: CaseContext): Promise<void> {
  const { fails } = conformanceCase;
  if (fails === undefined) {
    expect(await conformanceCase.run(context)).toEqual(conformanceCase.expected);
    return;
  }
  const error: unknown = await conformanceCase.run(context).then(
    (result) => expect.fail(`expected an error, got ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  if (fails.message !== undefined) expect((error as Error).message).toMatch(fails.message);
  const { message: _message, ...fields } = fails;
  expect(error).toMatchObject(fields);
}

async function post(session: ConformanceSession, query: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer> {
  const response = await fetch(`http://127.0.0.1:${session.port}/query`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Basic ${Buffer.from(`${session.token}:`).toString("base64")}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphqlAnswer;
}
