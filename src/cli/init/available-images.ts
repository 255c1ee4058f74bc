import { readFileSync } from "node:fs";
import path from "node:path";
import type { AvailableImages } from "../../detect/index.ts";
import { imagesFolder } from "../../engine/index.ts";

/** Returns the versions of the bootstrapped images, if set-up found no image registry to pull others from. */
export function bootstrappedImages(): AvailableImages {
  try {
    const decision = JSON.parse(readFileSync(path.join(imagesFolder(), "decision.json"), "utf8")) as { mode?: unknown };
    return decision.mode === "local" ? { nodes: [22], pythons: [11], areAll: true } : {};
  } catch {
    return {};
  }
}
