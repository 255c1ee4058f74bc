/** The helper in containers masks what the engine masks: both are given the same secrets and texts. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodedForms, plainForms } from "../../src/text/secret-forms.ts";
import { SecretMask } from "../../src/text/index.ts";

const architecture = process.arch === "x64" ? "amd64" : process.arch;
const shim = path.join(process.env["FASTLOOP_TEST_SHIM"]!, architecture, "shim");

let folder: string;
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "fastloop-shim-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What the helper records of a command that prints these pieces, each by a write of its own. */
async function recorded(secrets: Record<string, string>, pieces: readonly string[]): Promise<string> {
  writeFileSync(path.join(folder, "pieces.json"), JSON.stringify(pieces));
  const script = `for (const piece of JSON.parse(fs.readFileSync(${JSON.stringify(path.join(folder, "pieces.json"))}, "utf8"))) fs.writeSync(1, piece)`;
  const flags = Object.keys(secrets).flatMap((name) => ["--scrub-env", name]);
  const child = spawn(
    shim,
    [...flags, "--meta", folder, "--trust", path.join(folder, "none"), "--", process.execPath, "-e", script],
    { env: { PATH: process.env["PATH"], ...secrets }, stdio: ["ignore", "ignore", "inherit"] },
  );
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  return readFileSync(path.join(folder, "stdout"), "utf8");
}

const secrets = [
  's3cr&t "quo\'ted" <v>/+?ü~ \\ 9f3b71c2',
  "-----BEGIN KEY-----\nlineone5f0a\r\nlinetwo77bc\nab\n-----END KEY-----\n",
  "  (a*b)!;:@=$,#[]%20|🙂 \u2028 \t end ",
  "0123456789abcdef/".repeat(20),
  "abcab",
  "four",
];

it("every form of every secret, whole and one character at a time", async () => {
  expect(existsSync(shim)).toBe(true);
  for (const secret of secrets) {
    const forms = [...plainForms(secret), ...encodedForms(secret)];
    const text = forms.map((form) => `[${form}]`).join("\n");
    const masked = await recorded({ SECRET: secret }, [text]);
    expect(masked).toBe(new SecretMask([secret]).text(text));
    // Nothing of a form is left.
    for (const form of plainForms(secret)) expect(masked).not.toContain(form);
    const short = text.slice(0, 3000);
    expect(await recorded({ SECRET: secret }, Array.from(short))).toBe(new SecretMask([secret]).text(short));
  }
});

it("several secrets that overlap and hold each other, among other text", async () => {
  const given = { A: "headtail", B: "tailrest", C: "xx-headtail-yy", D: "abcab" };
  const text = "headtailrest xx-headtail-yy abcabcab headtai ailrest aGVhZHRhaWw= 6865616474 68656164746169";
  const expected = new SecretMask(Object.values(given)).text(text);
  expect(await recorded(given, [text])).toBe(expected);
  expect(await recorded(given, Array.from(text))).toBe(expected);
});

it("a secret that is too short is left", async () => {
  expect(await recorded({ A: "e", B: "abc\n" }, ["the abc e"])).toBe("the abc e");
});

it("a large secret and a large output take their time once", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} of a large secret`);
  writeFileSync(path.join(folder, "secret"), lines.join("\n"));
  const output = `${"plain text ".repeat(200_000)}\n${lines[19_999]}\n`;
  writeFileSync(path.join(folder, "output"), output);
  const child = spawn(
    shim,
    ["--scrub-file", path.join(folder, "secret"), "--meta", folder, "--", "cat", path.join(folder, "output")],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  expect(readFileSync(path.join(folder, "stdout"), "utf8")).toBe(output.replace(lines[19_999]!, "***"));
});
