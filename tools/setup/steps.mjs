// The order of what set-up does.
import { stopAll, StepStopped } from "./run.mjs";

/**
 * Runs what is missing. Steps of the same `stage` run at once, stages one after the other. The first that fails ends the
 * others: its cause is the one to be told, and what is done by then is not done again by the next set-up.
 */
export async function runAll(steps, progress) {
  const missing = steps.filter((step) => step.missing !== undefined && !step.done);
  if (missing.length === 0) return;
  for (const step of missing) progress.announce(step.title, step.missing);
  for (const stage of [...new Set(missing.map((step) => step.stage))].sort((a, b) => a - b)) {
    const together = missing.filter((step) => step.stage === stage);
    const causes = [];
    await Promise.all(
      together.map(async (step) => {
        try {
          await progress.run(step.title, step.run);
          step.done = true;
        } catch (error) {
          if (!(error instanceof StepStopped)) causes.push(error);
          stopAll();
        }
      }),
    );
    if (causes.length > 0) throw causes[0];
  }
  progress.stop();
}
