import { useEffect, useState } from "preact/hooks";
import workerSource from "worker:layout";
import type { PageNode } from "../../types.ts";
import type { LayoutInput, Placed } from "./layout.ts";

/** Returns the places of the nodes. A worker computes them again when the edges change. */
export function useLayout(nodes: readonly PageNode[]): Placed | undefined {
  const [placed, setPlaced] = useState<Placed>();
  const ids = nodes.map(({ id }) => id);
  const known = new Set(ids);
  const needs = nodes.flatMap((node) =>
    node.needs.filter((need) => known.has(need)).map((need): [string, string] => [need, node.id]),
  );
  const key = JSON.stringify([ids, needs]);
  useEffect(() => {
    const address = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
    const worker = new Worker(address);
    worker.addEventListener("message", ({ data }: MessageEvent<Placed>) => setPlaced(data));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
    worker.postMessage({ ids, needs } satisfies LayoutInput);
    return () => {
      worker.terminate();
      URL.revokeObjectURL(address);
    };
  }, [key]);
  return placed;
}
