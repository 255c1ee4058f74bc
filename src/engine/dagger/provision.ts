/**
 * A program (dist/provision.js): has the Dagger SDK download its CLI and start an engine, prints the session's line as
 * `dagger session` does, and holds the session until stdin closes. A process of its own, as the SDK takes half a second
 * and 160 MB to load.
 */
import { connection, dag } from "@dagger.io/dagger";

/** The part of the SDK's GraphQL client that tells where it is connected to. */
interface GraphqlClient {
  url: string;
  requestConfig: { headers: Record<string, string> };
}

await connection(
  async () => {
    // The SDK connects at the first request.
    await dag.version();
    const client = (dag as unknown as { getGQLClient(): GraphqlClient }).getGQLClient();
    const authorization = client.requestConfig.headers["Authorization"] ?? "";
    const [token] = Buffer.from(authorization.replace(/^Basic /, ""), "base64")
      .toString("utf8")
      .split(":");
    process.stdout.write(`${JSON.stringify({ port: Number(new URL(client.url).port), session_token: token })}\n`);
    await stdinClosed();
  },
  { LogOutput: process.stderr },
);

function stdinClosed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve).once("close", resolve).resume();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}
