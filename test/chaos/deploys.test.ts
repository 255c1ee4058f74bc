import { expect, test } from "vitest";
import { cliFile } from "../e2e/cli-process.ts";
import { noCluster } from "../deploy/cluster.ts";
import { chaosOfDeploys } from "./deploys.ts";

if (noCluster !== undefined) console.warn(`skipped: ${noCluster}`);

/** A short one of `npm run chaos -- --deploys 200`; the long ones are in docs/performance.md. */
test.skipIf(noCluster !== undefined)(
  "deploys that are killed anywhere leave nothing half done, and nothing of others is touched",
  { timeout: 900_000 },
  async () => {
    const result = await chaosOfDeploys({ seed: 1, deploys: 16, cliFile, note: () => undefined });
    expect(result.differences).toEqual([]);
    expect(result.killed).toBeGreaterThan(3);
    expect(result.compared).toBeGreaterThan(7);
  },
);
