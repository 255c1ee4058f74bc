import { describe, it } from "vitest";
import { daggerIsNamed } from "./session.ts";
import { conformanceSuite } from "./suite.ts";

const how =
  "DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN, _EXPERIMENTAL_DAGGER_RUNNER_HOST, or a dagger CLI with docker";

if (daggerIsNamed) {
  describe("a Dagger engine answers the same", () => conformanceSuite("dagger"));
} else {
  console.log(`conformance: no Dagger engine is named (${how}); its cases are skipped`);
  it.skip("a Dagger engine answers the same", () => undefined);
}
