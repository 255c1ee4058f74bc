import { readFileSync } from "node:fs";
import type { CaseContext, ConformanceCase } from "../cases/case.ts";

/** What a real Dagger engine 0.21.8 answered, by the name of the case. */
const answers = JSON.parse(readFileSync(new URL("dagger-0.21.8.json", import.meta.url), "utf8")) as Record<string, unknown>;

/** Cases whose expected value is the recorded one; a name without a record is a mistake here. */
export function recorded(subject: string, runs: Record<string, (context: CaseContext) => Promise<unknown>>): ConformanceCase[] {
  return Object.entries(runs).map(([name, run]) => {
    const key = `${subject} ${name}`;
    if (!(key in answers)) throw new Error(`no recorded answer for ${key}`);
    return { name: `as recorded: ${key}`, run, expected: answers[key] };
  });
}
