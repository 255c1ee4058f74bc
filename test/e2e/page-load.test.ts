/** What the page costs a browser with a project as large as any: a thousand nodes, a hundred thousand lines. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { servePage, type PageServer } from "../../src/page/server.ts";
import { node, ShownNodes } from "../unit/page/ask.ts";
import { hasBrowser, openBrowser, openPage } from "./page-browser.ts";

const manyNodes = 1_000;
const manyLines = 100_000;

let browser: Browser;
let source: ShownNodes;
let server: PageServer;
beforeAll(async () => {
  if (hasBrowser) browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  source = new ShownNodes(
    ...Array.from({ length: manyNodes }, (_, index) =>
      node(`package-${index}`, { needs: needsOf(index), tookMs: index }),
    ),
  );
  source.top = { ...source.top, manual: false };
  server = await servePage(source);
});
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  server.close();
  source.close();
});

/** Ten layers of a hundred packages, each of which needs three of the layer below it. */
const needsOf = (index: number): string[] => {
  const [layer, place] = [Math.floor(index / 100), index % 100];
  return layer === 0 ? [] : [0, 1, 7].map((by) => `package-${(layer - 1) * 100 + ((place + by) % 100)}`);
};

/**
 * Milliseconds of CPU that the page's thread needs for an action and all frames that it draws: a busy machine makes a page wait, not
 * work. Meanwhile nothing is looked for by its role, which would have the page name a thousand buttons.
 */
async function workOf(page: Page, act: () => unknown): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spentMs = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1_000 * metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const drawn = (): Promise<unknown> =>
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  await drawn();
  const before = await spentMs();
  await act();
  await drawn();
  const after = await spentMs();
  await session.detach();
  return after - before;
}

/** Ten times what docs/page.md has: a slow machine, and what else its cores do, count as well. What is done for each node and each change costs more. */
const mostMs = 1_500;

describe.skipIf(!hasBrowser)("the page with much to show", () => {
  test("draws a thousand nodes, and what changes of them, without standing still", async () => {
    const { page, mistakes } = await openPage(browser, server.url);
    const cards = page.locator(".card");
    await cards.nth(manyNodes - 1).waitFor({ state: "attached" });
    const works: Record<string, number> = {};
    const look = async (name: string, act: () => unknown): Promise<void> => {
      works[name] = Math.round(await workOf(page, act));
    };
    await look("nothing", () => undefined);
    await look("choose", async () => {
      await page.keyboard.press("j");
      await page.locator(".card.selected").waitFor();
      // It is brought into sight after it is drawn as chosen.
      await page.locator(".canvas .reel:not(.far)").waitFor();
    });
    await look("zoom", () => page.locator(".zoom button").first().click());
    await look("50 of 1,000 change", async () => {
      source.nodes = source.nodes.map((each, index) =>
        index % 20 === 0 ? { ...each, state: "failed", tone: "bad" as const } : each,
      );
      source.model.touch();
      await page.locator(".card.bad").nth(49).waitFor({ state: "attached" });
    });
    await look("filter", async () => {
      await page.locator(".overview .search").fill("package-99");
      await page.locator(".card.pale").first().waitFor({ state: "attached" });
    });
    console.log(works);
    for (const [name, ms] of Object.entries(works)) expect(ms, name).toBeLessThan(mostMs);
    expect(mistakes).toEqual([]);
  });

  test("has a hundred thousand lines, with a few in the document, and finds one among them", async () => {
    for (let index = 0; index < manyLines; index += 1_000)
      source.model.printLines(
        "package-0",
        "out",
        Array.from(
          { length: 1_000 },
          (_, line) => `\u001b[32mok\u001b[0m ${index + line} of a program that prints much`,
        ),
      );
    const { page, mistakes } = await openPage(browser, server.url);
    await page.locator(".logs .count", { hasText: "100,000 lines" }).waitFor();
    // The graph beside it is drawn first: that is work, too.
    await page
      .locator(".card")
      .nth(manyNodes - 1)
      .waitFor({ state: "attached" });
    const log = page.locator(".lines");
    await log.getByText("99999 of a program").waitFor();
    expect(await log.locator(".line").count()).toBeLessThan(200);
    const works: Record<string, number> = {};
    works["200 lines more"] = Math.round(
      await workOf(page, async () => {
        source.model.printLines(
          "package-0",
          "out",
          Array.from({ length: 200 }, (_, line) => `more ${line}`),
        );
        await log.getByText("more 199").waitFor();
      }),
    );
    works["scroll"] = Math.round(
      await workOf(page, async () => {
        await log.evaluate((element) => (element.scrollTop = element.scrollHeight / 2));
        await log
          .getByText(/ 50\d\d\d of a program/)
          .first()
          .waitFor();
      }),
    );
    works["search"] = Math.round(
      await workOf(page, async () => {
        await page.locator(".logs .search").fill("ok 77777 of");
        await page.locator(".logs .count", { hasText: /^1 line$/ }).waitFor();
      }),
    );
    await log.getByText("ok 77777 of a program").waitFor();
    console.log(works);
    for (const name of ["200 lines more", "scroll"]) expect(works[name], name).toBeLessThan(mostMs);
    expect(mistakes).toEqual([]);
  });
});
