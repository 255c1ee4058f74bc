import type { Container, Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { devImage, layersOf } from "./dev.ts";
import type { DevOptions } from "./dev.ts";
import { readJournal, writeJournal } from "./journal.ts";
import type { Lock } from "./lock.ts";

export interface LayerVerdict {
  layer: string;
  verdict: "hit" | "miss";
  /** Hits among all builds that were explained, this one included; 0 to 1. */
  hitRate: number;
}

/** Builds the dev image and tells for each layer whether it came from the cache, as its own journal saw it. */
export async function explainDev(
  config: Config,
  base: Container,
  source: Directory,
  lock: Lock,
  options: DevOptions,
): Promise<LayerVerdict[]> {
  const dev = config.images?.dev ?? {};
  const nonce = `${Date.now()}-${Math.random()}`;
  const before = await readJournal(options.project, lock, `${nonce}-before`);
  await devImage(config, base, source, options).sync();
  const digest = await source.digest();
  const after = await readJournal(options.project, lock, `${nonce}-after`);
  const verdicts: [string, "hit" | "miss"][] = layersOf(dev)
    .filter((layer) => layer.run !== undefined)
    .map((layer) => [layer.name, after[layer.name]?.length === before[layer.name]?.length ? "hit" : "miss"]);
  verdicts.push(["sources", before["sources-seen"]?.at(-1) === digest ? "hit" : "miss"]);
  await writeJournal(options.project, lock, "sources-seen", digest, `${nonce}-seen`);
  for (const [layer, verdict] of verdicts)
    await writeJournal(options.project, lock, `${layer}-explained`, verdict, `${nonce}-${layer}`);
  return verdicts.map(([layer, verdict]) => {
    const history = [...(before[`${layer}-explained`] ?? []), verdict];
    return { layer, verdict, hitRate: history.filter((each) => each === "hit").length / history.length };
  });
}

export function verdictTable(verdicts: readonly LayerVerdict[]): string {
  const width = Math.max(...verdicts.map((verdict) => verdict.layer.length));
  return verdicts
    .map(
      ({ layer, verdict, hitRate }) =>
        `${layer.padEnd(width)}  ${verdict.padEnd(4)}  ${Math.round(hitRate * 100)} % hits so far\n`,
    )
    .join("");
}
