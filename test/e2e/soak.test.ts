import { expect, it } from "vitest";
import { onPrivateEngine, soak } from "../bench/soak.ts";

/** The whole of it, 1,000 and 50, is `npm run bench -- soak`: minutes. */
it("sessions in a row and at once leave nothing behind in the engine", async () => {
  const { warm, end } = await onPrivateEngine(
    () => undefined,
    () => soak({ sequential: 25, concurrent: 10 }),
  );
  // After so few sessions the heap is still finding its size.
  expect(end.rssMb).toBeLessThan(warm.rssMb * 1.2 + 40);
  expect(end).toMatchObject({ sessions: 0, temporaryFiles: 0, processes: warm.processes });
  expect(end.openFiles).toBeLessThanOrEqual(warm.openFiles);
});
