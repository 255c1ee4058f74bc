import { afterAll, beforeAll, describe, it } from "vitest";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../unit/own-engine.ts";
import { conformanceSuite } from "./suite.ts";

if (canRunEngine) {
  let engine: OwnEngine;
  beforeAll(async () => {
    engine = await startOwnEngine();
  });
  afterAll(() => engine.stop());
  describe("the embedded engine answers as it must", () => conformanceSuite("embedded"));
} else it.skip("the embedded engine answers as it must", () => undefined);
