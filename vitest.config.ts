import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { sdkPart } from "./tools/build-sdk.mjs";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };

/** Real containers and fuzzing on a busy machine; what hangs fails all the same. */
const engineTimeoutMs = 180_000;

const engine = {
  environment: "node" as const,
  globalSetup: ["test/e2e/harness.ts"],
  testTimeout: engineTimeoutMs,
  hookTimeout: engineTimeoutMs,
};

/** `sdk:runtime` and the like, which the build cuts out of the SDK, for sources that run in the tests' process. */
const sdkParts = {
  name: "sdk-parts",
  resolveId: (id: string) => (id.startsWith("sdk:") ? `\0${id}` : undefined),
  load: (id: string) => (id.startsWith("\0sdk:") ? sdkPart(id.slice(1)) : undefined),
};

export default defineConfig({
  // As tools/build.mjs has it.
  define: { __FASTLOOP_VERSION__: JSON.stringify(version) },
  test: {
    pool: "forks",
    // Two workers: the containers that the tests start need the cores as well.
    maxWorkers: 2,
    // Of the unit suite, which the gate measures (with an engine in the tests' process); what runs in a process of its own is not seen.
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: [
        // Programs' entry points; generated messages of BuildKit; types alone.
        "src/**/main.ts",
        "src/deploy/program.ts",
        "src/**/*worker.ts",
        "src/*/proto/**",
        // Runs in a browser: test/e2e/page.test.ts.
        "src/page/client/**",
        "src/**/types.ts",
        "src/**/*.d.ts",
      ],
      reporter: ["text-summary", "json-summary"],
      // Raised as it grows.
      thresholds: { lines: 85 },
    },
    projects: [
      {
        extends: true,
        plugins: [sdkParts],
        test: {
          name: "unit",
          // With the core API's answers, from the engine in the tests' process, and deploys to a small API server there.
          include: [
            "test/unit/**/*.test.ts",
            "test/conformance/conformance.test.ts",
            "test/modules/**/*.test.ts",
            "test/deploy/{deploy,meanwhile,verbs}.test.ts",
          ],
          env: { FASTLOOP_TEST_API_SERVER: "small" },
          globalSetup: ["test/unit/own-state.ts"],
          // On a busy machine slow, not red.
          testTimeout: engineTimeoutMs,
          hookTimeout: engineTimeoutMs,
        },
      },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...engine } },
      {
        extends: true,
        test: { name: "deploy", include: ["test/deploy/**/*.test.ts"], ...engine, fileParallelism: false },
      },
      { extends: true, test: { name: "security", include: ["test/security/**/*.test.ts"], ...engine } },
      { extends: true, test: { name: "repositories", include: ["test/repositories/**/*.test.ts"], ...engine } },
      { extends: true, test: { name: "newcomer", include: ["test/newcomer/**/*.test.ts"], ...engine } },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          exclude: ["test/conformance/conformance.test.ts"],
          ...engine,
        },
      },
      {
        extends: true,
        test: { name: "chaos", include: ["test/chaos/**/*.test.ts"], ...engine, fileParallelism: false },
      },
    ],
  },
});
