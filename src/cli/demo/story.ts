import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Outcome } from "../../run/index.ts";

/** One edit of the demo, and its expected outcome. */
export interface Chapter {
  title: string;
  /** File of the project to edit. */
  file: string;
  replace: string;
  by: string;
  /** Functions that must run, with their outcome. Every other one must stay untouched. */
  runs: Record<string, Outcome>;
  /** Functions that must wait for one that failed. */
  blocked?: string[];
  /** Functions that may run again or be known from before, but must be current in the end. */
  current?: string[];
}

/** The edits; each builds on the one before. */
export const chapters: readonly Chapter[] = [
  {
    title: "an edit in the library: its tests and the API's run, the worker's don't",
    file: "lib/src/cart.ts",
    replace: "/** Prices a cart:",
    by: "/** The tax as a share of the net amount. */\nexport const taxPercent = taxRate * 100;\n\n/** Prices a cart:",
    runs: { lib: "passed", api: "passed" },
  },
  {
    title: "an edit in the worker: only the worker's tests run",
    file: "worker/shop_worker/report.py",
    replace: "limit: int = 3",
    by: "limit: int = 5",
    runs: { worker: "passed" },
  },
  {
    title: "an edit that breaks the library: its tests fail, the API's wait",
    file: "lib/src/cart.ts",
    replace: "discountRate = 0.1;",
    by: "discountRate = 0.2;",
    runs: { lib: "failed" },
    blocked: ["api"],
  },
  {
    title: "the fix: everything is current again",
    file: "lib/src/cart.ts",
    replace: "discountRate = 0.2;",
    by: "discountRate = 1 / 10;",
    runs: { lib: "passed", api: "passed" },
  },
];

/** Applies the edit in the project's copy. */
export async function edit(root: string, { file, replace, by }: Chapter): Promise<void> {
  const target = path.join(root, file);
  const text = await readFile(target, "utf8");
  if (!text.includes(replace)) throw new Error(`${file} has no \`${replace}\` to edit`);
  await writeFile(target, text.replace(replace, by));
}
