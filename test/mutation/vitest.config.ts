import { defineConfig } from "vitest/config";

/** The unit tests of the rooms that are mutated (stryker.config.json): no engine, no processes. */
export default defineConfig({
  test: {
    name: "unit",
    include: ["test/unit/{run,plan,tree,call,config}/**/*.test.ts"],
    testTimeout: 120_000,
  },
});
