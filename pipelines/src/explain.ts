import type { Container, Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { devImage, layersOf } from "./dev.ts";
import type { DevOptions } from "./dev.ts";
import { readJournal, writeJournal } from "./journal.ts";
import type { Lock } from "./lock.ts";

export interface LayerLookup {
  layer: string;
  found: "hit" | "miss";
  /** Share of cache hits in all explained builds including this one, from 0 to 1. */
  hitRate: number;
}

/**
 * Builds the dev image and returns for each layer whether it was a cache hit. A layer that runs appends a line to the
 * journal; the sources are a hit if their digest is the same as last time.
 */
export async function explainDev(
  config: Config,
  base: Container,
  source: Directory,
  lock: Lock,
  options: DevOptions,
): Promise<LayerLookup[]> {
  const dev = config.images?.dev ?? {};
  const nonce = `${Date.now()}-${Math.random()}`;
  const before = await readJournal(options.project, lock, `${nonce}-before`);
  await devImage(config, base, source, options).sync();
  const digest = await source.digest();
  const after = await readJournal(options.project, lock, `${nonce}-after`);
  const lookups: [string, "hit" | "miss"][] = layersOf(dev)
    .filter((layer) => layer.run !== undefined)
    .map((layer) => [layer.name, after[layer.name]?.length === before[layer.name]?.length ? "hit" : "miss"]);
  lookups.push(["sources", before["sources-seen"]?.at(-1) === digest ? "hit" : "miss"]);
  await writeJournal(options.project, lock, "sources-seen", digest, `${nonce}-seen`);
  for (const [layer, found] of lookups)
    await writeJournal(options.project, lock, `${layer}-explained`, found, `${nonce}-${layer}`);
  return lookups.map(([layer, found]) => {
    const history = [...(before[`${layer}-explained`] ?? []), found];
    return { layer, found, hitRate: history.filter((each) => each === "hit").length / history.length };
  });
}

export function layerTable(lookups: readonly LayerLookup[]): string {
  const width = Math.max(...lookups.map((lookup) => lookup.layer.length));
  return lookups
    .map(
      ({ layer, found, hitRate }) =>
        `${layer.padEnd(width)}  ${found.padEnd(4)}  ${Math.round(hitRate * 100)} % hits so far\n`,
    )
    .join("");
}
