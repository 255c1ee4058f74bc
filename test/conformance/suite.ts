import { mkdir } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { connection, dag } from "@dagger.io/dagger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseContext, ConformanceCase, GraphqlAnswer } from "./cases/case.ts";
import { groups } from "./cases/index.ts";
import { openConformanceSession, type ConformanceSession, type EngineKind } from "./session.ts";

/** Also the cases that an engine of this kind is known not to answer alike: to see whether that is still so. */
const withAll = process.env["FASTLOOP_TEST_ALL_CASES"] !== undefined;

/** All cases that an engine of this kind answers, each as one test. One engine a process: the SDK has one `dag`. */
export function conformanceSuite(kind: EngineKind): void {
  let session: ConformanceSession;
  let disconnect = (): void => undefined;
  let connected: Promise<void> | undefined;

  beforeAll(async () => {
    session = await openConformanceSession(kind);
    console.log(`conformance: ${session.engine.engine.version} (${session.engine.engine.reason})`);
    process.env["DAGGER_SESSION_PORT"] = String(session.engine.port);
    process.env["DAGGER_SESSION_TOKEN"] = session.engine.token;
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
  }, 60_000);

  for (const [group, cases] of Object.entries(groups)) {
    const answered = cases.filter(({ only }) => withAll || only === undefined || only.engine === kind);
    if (answered.length === 0) continue;
    describe(group, () => {
      for (const conformanceCase of answered) {
        it.concurrent(conformanceCase.name, { timeout: 300_000 }, async () =>
          check(conformanceCase, await contextOf(session)),
        );
      }
    });
  }
}

async function contextOf(session: ConformanceSession): Promise<CaseContext> {
  const unique = randomBytes(6).toString("hex");
  const name = `case-${unique}`;
  const folder = path.join(session.workdir.absolute, name);
  await mkdir(folder);
  return {
    dag,
    query: (document, variables) => post(session, document, variables),
    folder,
    relativeFolder: path.join(session.workdir.relative, name),
    unique,
    registry: session.registry,
  };
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

/** Whole answers, errors included: the product's own client throws the first error. */
async function post(
  session: ConformanceSession,
  query: string,
  variables?: Record<string, unknown>,
): Promise<GraphqlAnswer> {
  const { port, token } = session.engine;
  const response = await fetch(`http://127.0.0.1:${port}/query`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json",
      authorization: `Basic ${Buffer.from(`${token}:`).toString("base64")}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as Omit<GraphqlAnswer, "status">) };
}
