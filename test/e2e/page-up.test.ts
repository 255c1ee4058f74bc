import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "./loop-project.ts";
import { hasBrowser, openBrowser, openPage, violations } from "./page-browser.ts";
import { get, isState, stack, until, UpProject } from "./up-project.ts";

let project: UpProject;
let browser: Browser;
beforeAll(async () => {
  if (hasBrowser) browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(() => void (project = new UpProject()));
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  await project.remove();
});

const card = (page: Page, name: string, state: string): Locator =>
  page
    .locator(".card")
    .filter({ has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) })
    .filter({ has: page.locator(".standing", { hasText: state }) });

describe.skipIf(!hasBrowser)("the page of fastloop up", () => {
  test("shows state, ports and logs of services, and its buttons restart them", async () => {
    const { db, api, tag } = await stack(project);
    const up = project.up("--ui", "--ui-snapshot", "out.html");
    const { url } = await up.next("page");
    const { page, mistakes } = await openPage(browser, url as string);
    const status = page.locator(".top .status");
    const log = page.getByRole("log");
    for (const name of ["db", "api", "other"]) await card(page, name, "healthy").waitFor();
    await status.getByText("3 healthy").waitFor();
    // There is nothing to run.
    expect(await page.getByRole("button", { name: /^(Run|Manual)/ }).count()).toBe(0);

    await card(page, "api", "healthy").click();
    const side = page.locator(".side");
    const link = side.getByRole("link", { name: `:${api}` });
    expect(await link.getAttribute("href")).toBe(`http://127.0.0.1:${api}/`);
    await log.getByText(`api ${tag} listens`).first().waitFor();
    const [opened] = await Promise.all([page.waitForEvent("popup"), link.click()]);
    await opened.getByText(`api ${tag}`).waitFor();
    await opened.close();
    await log.getByText("got GET / HTTP/1.1").first().waitFor();
    // Of this service alone.
    expect(await log.getByText(`db ${tag} listens`).count()).toBe(0);

    // It alone is made anew; db, which it needs, goes on.
    const from = up.events.length;
    const since = (holds: (event: WatchEvent) => boolean) => up.until((events) => events.slice(from).some(holds));
    await side.getByRole("button", { name: "Restart", exact: true }).click();
    await since(isState("api", "healthy"));
    await card(page, "api", "healthy").waitFor();
    expect(
      await until(
        () => get(api),
        (text) => text !== undefined,
      ),
    ).toBe(`api ${tag}\n`);
    expect(up.events.slice(from).some(isState("db", "starting"))).toBe(false);
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.locator(".bars .name", { hasText: "starting" }).nth(1).waitFor();

    // One that ends by itself: why, and what it printed last.
    await get(db, "/die");
    await card(page, "db", "ended").click();
    await page.getByRole("tab", { name: "Why" }).click();
    await page.locator(".why").getByText("asked to die").first().waitFor();
    await page.locator(".why").getByText(`127.0.0.1:${db} leads to 8080`).waitFor();
    expect(await violations(page)).toEqual([]);
    const again = up.events.length;
    await page.keyboard.press("r");
    await up.until((events) => events.slice(again).some(isState("db", "healthy")));
    await status.getByText("3 healthy").waitFor();
    const all = up.events.length;
    await page.getByRole("button", { name: "Restart all" }).click();
    for (const name of ["db", "api", "other"])
      await up.until((events) => events.slice(all).some(isState(name, "healthy")));
    await status.getByText("3 healthy").waitFor();

    await up.kill("SIGINT");
    await page.locator(".connection.lost").waitFor();
    const file = project.at("out.html");
    expect(readFileSync(file, "utf8")).not.toContain(project.root);
    const saved = await openPage(browser, pathToFileURL(file).href);
    await saved.page.locator(".card .name", { hasText: /^api$/ }).click();
    await saved.page.getByRole("log").getByText("got GET / HTTP/1.1").first().waitFor();
    expect(await saved.page.getByRole("button", { name: /^Restart/ }).count()).toBe(0);
    expect([...mistakes, ...saved.mistakes]).toEqual([]);
  });
});
