import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiResponse, ApiSession } from "../../src/core-api/index.ts";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import { openSessionOn } from "./api-session.ts";
import { startPrivateBuildkitd, type PrivateBuildkitd } from "./private-buildkitd.ts";

const refused =
  'insecureRootCapabilities is not allowed by this BuildKit daemon; start it with insecure-entitlements = ["security.insecure"] in its buildkitd.toml';

describe("on a BuildKit daemon that grants no entitlement", () => {
  let buildkitd: PrivateBuildkitd;
  let buildkit: BuildkitClient;
  let session: ApiSession;

  beforeAll(async () => {
    buildkitd = await startPrivateBuildkitd((toml) => toml.replace(/^insecure-entitlements.*\n/m, ""));
    buildkit = await connectBuildkit(buildkitd.address);
    session = await openSessionOn(buildkit, { workdir: import.meta.dirname });
  });
  afterAll(async () => {
    await session.close();
    await buildkit.close();
    await buildkitd.stop();
  });

  const run = (query: string): Promise<ApiResponse> =>
    session.execute({ query }, { signal: new AbortController().signal });
  const inContainer = (selection: string): string =>
    `{ container { from(address: "debian:bookworm-slim") { ${selection} } } }`;

  it("ordinary commands run", async () => {
    expect(await run(inContainer('withExec(args: ["echo", "ran"]) { stdout }'))).toEqual({
      data: { container: { from: { withExec: { stdout: "ran\n" } } } },
    });
  });

  it("a command that wants all capabilities is refused with what would allow it", async () => {
    const { errors } = await run(inContainer('withExec(args: ["true"], insecureRootCapabilities: true) { stdout }'));
    expect(errors).toMatchObject([{ message: refused }]);
  });

  it("a service that wants all capabilities is refused with what would allow it", async () => {
    const { errors } = await run(
      inContainer('asService(args: ["sleep", "1000"], insecureRootCapabilities: true) { start }'),
    );
    expect(errors).toMatchObject([{ message: refused }]);
  });
});
