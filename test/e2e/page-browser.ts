/** A real browser for the tests of the page: Chromium as the system has it. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { createRequire } from "node:module";
import { findExecutable } from "../../src/paths/index.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];
const program = names.map((name) => findExecutable(name)).find((found) => found !== undefined);

/** Set-up has a part for it: `node tools/setup.mjs --only browser`. */
export const hasBrowser = program !== undefined;
if (!hasBrowser) console.warn("skipped: there is no Chromium here to show the page to");

export function openBrowser(): Promise<Browser> {
  // Tests run as root in CI, where Chromium has no sandbox of its own; the page is ours.
  return chromium.launch({ executablePath: program!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page whose mistakes fail its test: what it throws, and what its policy refuses. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; mistakes: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const mistakes: string[] = [];
  page.on("pageerror", (error) => mistakes.push(error.message));
  page.on("console", (message) => {
    // A connection that is lost is told by the browser itself.
    if (message.type() === "error" && !/net::ERR|Failed to load resource/.test(message.text()))
      mistakes.push(message.text());
  });
  await page.goto(url);
  return { page, mistakes };
}

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe has against the page as it is shown now. Its own code comes by the debugger, past the page's policy. */
export async function violations(page: Page): Promise<string[]> {
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axe, "utf8"));
  return await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
    };
    const found = await run.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  });
}
