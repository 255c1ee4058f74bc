import { readFileSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LoopProject, type WatchEvent, type WatchProcess } from "./loop-project.ts";
import { hasBrowser, openBrowser, openPage, violations } from "./page-browser.ts";

let project: LoopProject;
let browser: Browser;
beforeAll(async () => {
  if (hasBrowser) browser = await openBrowser();
});
afterAll(() => browser?.close());
beforeEach(() => void (project = new LoopProject()));
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  await project.remove();
});

async function watching(...words: string[]): Promise<{ watch: WatchProcess; url: string }> {
  const watch = project.watch("--ui", ...words);
  const { url } = await watch.next("page");
  return { watch, url: url as string };
}

const card = (page: Page, name: string, state: string) =>
  page
    .locator(".card")
    .filter({ has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) })
    .filter({ has: page.locator(".standing", { hasText: state }) });
/** What has happened since an action, until it holds. */
async function until(watch: WatchProcess, act: () => unknown, holds: (event: WatchEvent) => boolean): Promise<void> {
  const from = watch.events.length;
  await act();
  await watch.until((events) => events.slice(from).some(holds));
}
const started =
  (name: string) =>
  (event: WatchEvent): boolean =>
    event.event === "started" && event.name === name;
const status = (page: Page) => page.locator(".top .status");
const log = (page: Page) => page.getByRole("log");
const shows = (page: Page, text: string | RegExp) => log(page).getByText(text).first().waitFor();

describe.skipIf(!hasBrowser)("the page of fastloop watch", () => {
  test("follows what happens, and its buttons and keys run, cancel, mark and save", async () => {
    const { watch, url } = await watching();
    const { page, mistakes } = await openPage(browser, url);
    // The token is in no address that the browser keeps.
    expect(page.url()).not.toContain("token");
    await card(page, "api", "current").waitFor();
    await status(page).getByText("3 current").waitFor();
    await shows(page, "ok api from lib one api one");

    project.write("lib/a.txt", "broken\n");
    await card(page, "lib", "failed").click();
    await card(page, "api", "blocked").waitFor();
    await page.getByRole("tab", { name: "Why" }).click();
    await page.getByText("lib/a.txt changed").waitFor();
    await page.locator(".why pre").getByText("exit code 3").waitFor();
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.locator(".bars .name", { hasText: "exec" }).waitFor();
    await page.getByRole("tab", { name: "Charts" }).click();
    await page.locator(".charts tbody th", { hasText: "lib" }).waitFor();

    const hasFailed = ({ event, outcome }: WatchEvent): boolean => event === "finished" && outcome === "failed";
    await until(watch, () => page.keyboard.press("f"), hasFailed);
    await page.keyboard.press("1");
    project.write("lib/a.txt", "slow\n");
    await shows(page, /^sleeping$/);
    await card(page, "lib", "running").waitFor();
    const isCancelled = ({ event, name, outcome }: WatchEvent): boolean =>
      event === "finished" && name === "lib" && outcome === "cancelled";
    await until(watch, () => page.getByRole("button", { name: "Cancel", exact: true }).click(), isCancelled);
    await card(page, "lib", "cancelled").waitFor();
    await card(page, "api", "blocked").waitFor();
    project.write("lib/a.txt", "lib two\n");
    await status(page).getByText("3 current").waitFor();

    // By name, all, and those that the filter leaves.
    await card(page, "worker", "current").click();
    const run = page.locator(".side").getByRole("button", { name: "Run", exact: true });
    await until(watch, () => run.click(), started("worker"));
    await status(page).getByText("3 current").waitFor();
    await page.keyboard.press("Escape");
    await until(watch, () => page.getByRole("button", { name: "Run all" }).click(), started("api"));
    await status(page).getByText("3 current").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("work");
    await page.keyboard.press("Enter");
    const before = watch.events.length;
    await until(watch, () => page.getByRole("button", { name: "Run these" }).click(), started("worker"));
    expect(watch.startedSince(before)).toEqual(["worker"]);
    await page.keyboard.press("Escape");
    await status(page).getByText("3 current").waitFor();

    await page.getByRole("button", { name: "Manual" }).click();
    await page.getByRole("button", { name: "Run marked" }).waitFor();
    project.write("worker/a.txt", "worker two\n");
    await status(page).getByText("1 marked").waitFor();
    await page.getByRole("button", { name: "Run marked" }).click();
    await status(page).getByText("3 current").waitFor();
    await page.keyboard.press("m");
    await page.getByRole("button", { name: "Run marked" }).waitFor({ state: "detached" });

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save page" }).click(),
    ]);
    expect(readFileSync(await download.path(), "utf8")).toContain('id="snapshot"');
    // A reload has the token still, and a new tab has it not.
    await page.reload();
    await status(page).getByText("3 current").waitFor();
    await shows(page, "ok worker from lib two worker two");
    expect(mistakes).toEqual([]);
  });

  test("goes on after a lost connection without a line twice or lost, and says so when the command has ended", async () => {
    // What no other test has run: the engine's cache prints nothing.
    project.write("worker/a.txt", "worker before it\n");
    const { watch, url } = await watching();
    const proxy = await cuttable(Number(new URL(url).port));
    const { page, mistakes } = await openPage(browser, url.replace(/:\d+/, `:${proxy.port}`));
    await status(page).getByText("3 current").waitFor();
    await card(page, "worker", "current").click();
    await shows(page, "ok worker from lib one worker before it");
    const isSettled = ({ event }: WatchEvent): boolean => event === "settled";
    const write = (text: string) => (): void => project.write("worker/a.txt", text);
    await proxy.cut();
    await page.locator(".connection.lost").waitFor();
    expect(await page.getByRole("button", { name: "Run all" }).isDisabled()).toBe(true);
    await until(watch, write("worker during it\n"), isSettled);
    await proxy.listen();
    await page.locator(".connection.live").waitFor();
    await shows(page, "ok worker from lib one worker during it");
    await until(watch, write("worker after it\n"), isSettled);
    await shows(page, "ok worker from lib one worker after it");
    for (const text of ["before it", "during it", "after it"])
      expect(await log(page).getByText(`ok worker from lib one worker ${text}`).count()).toBe(1);
    expect(await watch.kill("SIGINT")).toBe(130);
    await page.locator(".connection.lost").waitFor();
    await proxy.cut();
    expect(mistakes).toEqual([]);
  });

  test("shows hostile names and output as text, colours as colours, and nothing of a secret", async () => {
    const evil = `<img src=x onerror="document.title='owned'">`;
    const script = "</script><script>document.title='owned'</script>";
    project.write(
      `worker/${evil}\u202e.txt`,
      `${evil}${script}\n\u001b[31mred\u001b[0m \u001b]0;x\u0007\u001b[2Jend\n`,
    );
    project.write(
      "fastloop.yaml",
      `version: 1
watch:
  targets:
    worker: { call: "test --source . --part worker", inputs: [worker/] }
    teller: { call: "fail --token env:PAGE_SECRET", inputs: [lib/] }
`,
    );
    process.env["PAGE_SECRET"] = "correct-horse-battery";
    const watch = project.watch("--ui", "--trust", "--ui-snapshot", "out.html");
    delete process.env["PAGE_SECRET"];
    const { url } = await watch.next("page");
    const { page, mistakes } = await openPage(browser, url as string);
    await card(page, "teller", "failed").click();
    await page.keyboard.press("3");
    await page.locator(".why pre").getByText("no use of").waitFor();
    await page.keyboard.press("1");
    await card(page, "worker", "current").click();
    await shows(page, evil);
    await shows(page, script);
    await log(page).locator(".ansi-red-fg", { hasText: "red" }).first().waitFor();
    await shows(page, "end");
    await page.keyboard.press("3");
    await page.locator(".why").waitFor();
    project.write(`worker/${evil}\u202e.txt`, "slow");
    await page.locator(".causes", { hasText: `${evil}\\u202e.txt changed` }).waitFor();
    await page.keyboard.press("1");
    await shows(page, /^sleeping$/);
    await card(page, "worker", "running").waitFor();
    expect(await page.locator("img, main script").count()).toBe(0);
    expect(await page.title()).not.toContain("owned");
    expect(await page.content()).not.toContain("correct-horse-battery");
    await watch.kill("SIGINT");
    const saved = readFileSync(project.at("out.html"), "utf8");
    expect(saved).not.toContain("correct-horse-battery");
    expect(statSync(project.at("out.html")).mode & 0o077).toBe(0);
    const file = await openPage(browser, pathToFileURL(project.at("out.html")).href);
    await card(file.page, "worker", "running").click();
    await shows(file.page, "end");
    await file.page.keyboard.press("2");
    await file.page.locator(".bars .name", { hasText: "exec" }).waitFor();
    expect(await file.page.locator("img").count()).toBe(0);
    expect(await file.page.getByRole("button", { name: /^Run/ }).count()).toBe(0);
    expect(await violations(file.page)).toEqual([]);
    expect([...mistakes, ...file.mistakes]).toEqual([]);
  });

  test("has nothing that axe objects to, in light, in dark, and at 400 pixels", async () => {
    project.write("worker/a.txt", "broken\n");
    const { watch, url } = await watching();
    await watch.next("settled");
    const { page, mistakes } = await openPage(browser, url, { colorScheme: "light" });
    await card(page, "worker", "failed").click();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
      for (const key of ["1", "2", "3", "4"]) {
        await page.keyboard.press(key);
        await page.locator(".content .panel, .content .lines").waitFor();
        expect(await violations(page), `tab ${key} in ${colorScheme}`).toEqual([]);
      }
      await page.keyboard.press("g");
      expect(await violations(page), `list in ${colorScheme}`).toEqual([]);
      await page.keyboard.press("g");
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      expect(await violations(page), `help in ${colorScheme}`).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await violations(page), "a panel at 400 pixels").toEqual([]);
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.keyboard.press("g");
    await page.getByRole("button", { name: /failed worker/ }).waitFor();
    expect(await violations(page), "the list at 400 pixels").toEqual([]);
    const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
    expect(widths).toEqual([400, 400]);
    expect(mistakes).toEqual([]);
  });
});

describe("the server of the page", () => {
  test("answers only its own page with the token, and dies with the command", async () => {
    const { watch, url } = await watching("--manual");
    const { port, hash } = new URL(url);
    const token = hash.slice("#token=".length);
    const authorization = `Bearer ${token}`;
    const ask = (path: string, headers: http.OutgoingHttpHeaders, method = "GET", body?: string) =>
      answer(Number(port), method, path, headers, body);

    for (const path of ["/events", "/log", "/node?id=lib", "/history", "/snapshot"]) {
      expect(await ask(path, {}), path).toMatchObject({ status: 401 });
      expect(await ask(path, { authorization: `Bearer ${"x".repeat(token.length)}` }), path).toMatchObject({
        status: 401,
      });
      expect(await ask(`${path}#token=${token}`, { cookie: `token=${token}` }), path).toMatchObject({ status: 401 });
    }
    expect(await ask("/", { host: "evil.example" })).toMatchObject({ status: 403 });
    expect(await ask("/log", { authorization, origin: "http://evil.example" })).toMatchObject({ status: 403 });
    expect(await ask("/log", { authorization, origin: "http://127.0.0.1:1" })).toMatchObject({ status: 403 });
    expect(await ask("/log", { authorization, "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403 });
    expect(await ask("/log", { authorization, "sec-fetch-site": "same-site" })).toMatchObject({ status: 403 });
    expect(await ask("/log", { authorization })).toMatchObject({ status: 200 });

    const json = { authorization, "content-type": "application/json" };
    expect(await ask("/do", { authorization })).toMatchObject({ status: 404 });
    expect(await ask("/do", { ...json, "content-type": "text/plain" }, "POST", "{}")).toMatchObject({ status: 415 });
    expect(await ask("/do", json, "POST", "{")).toMatchObject({ status: 400 });
    expect(await ask("/do", json, "POST", '{"do":"rm"}')).toMatchObject({ status: 400 });
    expect(await ask("/do", json, "POST", '{"do":"cancel","node":"nobody"}')).toMatchObject({ status: 400 });
    expect(await ask("/do", json, "POST", `"${"x".repeat(70_000)}"`)).toMatchObject({ status: 413 });
    expect(await ask("/../package.json", { authorization })).toMatchObject({ status: 404 });

    const page = await ask("/", {});
    expect(page.headers["content-security-policy"]).toMatch(
      /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(page.headers["set-cookie"]).toBeUndefined();
    expect(page.text).not.toContain(token);
    expect(await watch.kill("SIGKILL")).toBe("SIGKILL");
    await expect(ask("/", {})).rejects.toThrow(/ECONNREFUSED/);
  });

  test("a page with another token says what to do", async ({ skip }) => {
    if (!hasBrowser) skip();
    const { url } = await watching("--manual");
    const { page } = await openPage(browser, url.replace(/token=.*/, "token=wrong"));
    await page.getByRole("heading", { name: /not, or no longer, valid/ }).waitFor();
  });
});

interface Answered {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  text: string;
}

function answer(
  port: number,
  method: string,
  path: string,
  headers: http.OutgoingHttpHeaders,
  body?: string,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.once("error", reject);
    request.end(body);
  });
}

/** Another way to the server, which can be cut: to the browser it is the server itself. */
async function cuttable(to: number): Promise<{ port: number; cut(): Promise<void>; listen(): Promise<void> }> {
  const own = `127.0.0.1:${to}`;
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, host: own };
    if (headers.origin !== undefined) headers.origin = `http://${own}`;
    const { method, url: path } = request;
    const further = http.request({ host: "127.0.0.1", port: to, method, path, headers, agent: false }, (answered) => {
      response.writeHead(answered.statusCode!, answered.headers);
      answered.on("error", () => response.destroy());
      answered.pipe(response);
    });
    further.on("error", () => response.destroy());
    response.on("close", () => further.destroy());
    request.pipe(further);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    listen: () => listen(port),
    cut: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
