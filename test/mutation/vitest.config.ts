import process from "node:process";
import { defineConfig } from "vitest/config";

/** The unit tests of the rooms that are mutated (stryker.config.json): no engine, no processes. `MUTATED` names a few of the rooms. */
const rooms = process.env["MUTATED"] ?? "{run,plan,tree,call,config}";

export default defineConfig({
  test: {
    name: "unit",
    include: [`test/unit/${rooms}/**/*.test.ts`],
    testTimeout: 120_000,
  },
});
