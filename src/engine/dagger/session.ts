/** Sessions with a real Dagger engine: one that is already open, or one behind a child process. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { EngineChoice } from "../choose.ts";
import { packageRoot } from "../../paths/index.ts";
import { createAgent, query } from "../../graphql/index.ts";
import type { EngineSession, OpenSessionOptions } from "../types.ts";
import { isOlderId } from "./recipe-id.ts";
import { startSessionProcess } from "./session-process.ts";

type DaggerChoice = Extract<EngineChoice, { kind: `dagger-${string}` }>;

/** The first start pulls the engine's image; with SDK provisioning it also downloads the CLI. */
const connectTimeoutMs = 5 * 60_000;

export async function openDaggerSession(choice: DaggerChoice, options: OpenSessionOptions): Promise<EngineSession> {
  if (choice.kind === "dagger-session") {
    return connect(choice, choice.reason, () => Promise.resolve());
  }
  const sdk = choice.kind === "dagger-sdk";
  if (sdk) {
    options.onNotice?.(
      "no dagger CLI here: the Dagger SDK downloads one, and the engine's image if it is not there yet (several hundred MB, once)",
    );
  }
  const child = await startSessionProcess({
    command: sdk ? process.execPath : choice.command,
    // `--silent`, because a long session would otherwise keep all its telemetry in memory.
    args: sdk ? [path.join(packageRoot(), "dist", "provision.js")] : ["--silent", "session", ...labels],
    workdir: options.workdir,
    env: { ...process.env, DAGGER_NO_NAG: "1", DAGGER_NO_UPDATE_CHECK: "1" },
    connectTimeoutMs,
    signal: options.signal,
  });
  try {
    return await connect(child, choice.reason, child.close);
  } catch (error) {
    await child.close();
    throw error;
  }
}

const tooOld =
  "this Dagger engine is too old for function bodies outside of it: it can't be told what they may ask of the session. " +
  "Call with --via module, or use an engine of 0.21 or newer";

const labels = ["--label", "dagger.io/sdk.name:nodejs", "--label", "dagger.io/client.name:fastloop"];

async function connect(
  { port, token }: { port: number; token: string },
  reason: string,
  release: () => Promise<void>,
): Promise<EngineSession> {
  const endpoint = { port, token, agent: createAgent() };
  // Loaded only here: it imports a GraphQL parser, which nothing else in a command needs.
  const proxyModule = import("./body-proxy.ts");
  const { version, directory } = await query<{ version: string; directory?: { id: string } }>(
    endpoint,
    "{ version directory { id } }",
  ).catch((cause: unknown) => {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new UserError("engine-unavailable", `no Dagger session answers on port ${port}: ${problem}`, {
      hint: "unset DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN if that session is over",
      cause,
    });
  });
  const proxy = await (
    await proxyModule
  ).startBodyProxy(endpoint, directory !== undefined && isOlderId(directory.id) ? tooOld : undefined);
  return {
    engine: { kind: "dagger", version: `dagger ${version}`, reason },
    port,
    token,
    body: proxy,
    query: (document, variables, options) => query(endpoint, document, variables, options),
    // A Dagger engine sends its telemetry to its CLI; a session reports nothing to its client.
    onEvent: () => () => undefined,
    async close() {
      proxy.close();
      endpoint.agent.destroy();
      await release();
    },
  };
}
