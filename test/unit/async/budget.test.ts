import { describe, expect, it } from "vitest";
import { Budget } from "../../../src/async/index.ts";

const never = new AbortController().signal;
/** What has happened by the time that everything that can go on has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a budget", () => {
  it("lets others wait, in order, and takes more than there is as all", async () => {
    const budget = new Budget(10);
    const began: string[] = [];
    const take = (name: string, amount: number): Promise<() => void> =>
      budget.take(amount, never).then((give) => {
        began.push(name);
        return give;
      });
    const first = await take("first", 8);
    const large = take("large", 100);
    const small = take("small", 1);
    await settled();
    // Not the small one, though there is room: the large one would wait for ever.
    expect(began).toEqual(["first"]);
    first();
    first();
    (await large)();
    (await small)();
    expect([began, budget.isWhole]).toEqual([["first", "large", "small"], true]);
  });

  it("forgets who gave up, and lets those behind go on", async () => {
    const budget = new Budget(2);
    const first = await budget.take(1, never);
    const gone = new AbortController();
    const waits = budget.take(2, gone.signal);
    const behind = budget.take(1, never);
    gone.abort(new Error("gave up"));
    await expect(waits).rejects.toThrow("gave up");
    (await behind)();
    first();
    expect(budget.isWhole).toBe(true);
  });
});
