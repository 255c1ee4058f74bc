/**
 * Program (dist/provision.js) that has the Dagger SDK download its CLI and start an engine, prints the session's line
 * as `dagger session` does, and holds the session until stdin closes. It is a separate process, as the SDK takes half a
 * second and 160 MB to load.
 */
import { connection, dag } from "@dagger.io/dagger";

/** The part of the SDK's GraphQL client that knows its address. */
interface GraphqlClient {
  url: string;
  requestConfig: { headers: Record<string, string> };
}

await connection(
  async () => {
    // The SDK connects on the first request.
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
