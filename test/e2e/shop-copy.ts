import { cpSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "../../src/paths/index.ts";

/** A copy of examples/shop, without what was installed or recorded in it. */
export function copyShop(to: string): void {
  const own = (file: string): boolean => !["node_modules", ".fastloop"].includes(path.basename(file));
  cpSync(path.join(packageRoot(), "examples/shop"), to, { recursive: true, filter: own });
}
