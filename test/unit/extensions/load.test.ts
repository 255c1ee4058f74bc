import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/types.ts";
import { extensionOf, type ExtensionPoint } from "../../../src/extensions/index.ts";
import { asksOfExtensions, describeAsk, type Ask } from "../../../src/trust/index.ts";

interface Greeter {
  name: string;
  greet(): string;
}

const point: ExtensionPoint<Greeter> = {
  key: "diff",
  builtIn: {
    plain: () => ({ name: "plain", greet: () => "hello" }),
    loud: () => ({ name: "loud", greet: () => "HEY" }),
  },
  methods: ["greet"],
};
const everything = { allows: () => true };
const nothing = { allows: () => false };

let root = "";
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-extensions-"));
  mkdirSync(path.join(root, "project"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const project = (): string => path.join(root, "project");
const configOf = (diff: string | undefined): { config: Config; root: string } => ({
  config: { version: 1, extensions: { diff } },
  root: project(),
});

async function load(name: string | undefined, trust: { allows(ask: Ask): boolean } = everything) {
  const notices: string[] = [];
  const { extension, isForeign } = await extensionOf(point, configOf(name), trust, (text) => notices.push(text));
  return { said: extension.greet(), isForeign, notices };
}

function write(name: string, source: string): string {
  writeFileSync(path.join(project(), name), source);
  return `./${name}`;
}

describe("an extension", () => {
  it("is what fastloop brings, by default and by name", async () => {
    expect(await load(undefined)).toEqual({ said: "hello", isForeign: false, notices: [] });
    expect(await load("loud")).toEqual({ said: "HEY", isForeign: false, notices: [] });
    await expect(load("constructor")).rejects.toMatchObject({
      message: '"constructor" is not one of plain, loud',
      hint: "write a file of the project with a leading ./",
    });
  });

  it("is a file of the project, in JavaScript or TypeScript, with what node: has", async () => {
    const js = write("a.mjs", 'import os from "node:os"; export default { name: "a", greet: () => os.EOL + "js" };');
    expect(await load(js)).toEqual({ said: "\njs", isForeign: true, notices: [] });
    const ts = write("a.ts", 'const word: string = "ts"; export default { name: "t", greet: (): string => word };');
    expect(await load(ts)).toEqual({ said: "ts", isForeign: true, notices: [] });
  });

  it("that never ends loading is refused, and does not end the command as a success", { timeout: 60_000 }, async () => {
    const file = write("never.mjs", "await new Promise(() => {}); export default {};");
    await expect(load(file)).rejects.toMatchObject({
      message: "the extension can't be loaded: it has not loaded after 10 s",
    });
  });

  it("does not run without the user's trust: that is told, and the default taken", async () => {
    const marker = path.join(root, "ran");
    const file = write(
      "spy.mjs",
      `import fs from "node:fs"; fs.writeFileSync(${JSON.stringify(marker)}, ""); export default {};`,
    );
    expect(await load(file, nothing)).toEqual({
      said: "hello",
      isForeign: false,
      notices: [
        expect.stringMatching(
          /^extensions\.diff runs \.\/spy\.mjs \(sha256 [0-9a-f]{64}\) in fastloop's own process, with your rights: it is not used, for this needs your trust/,
        ),
      ],
    });
    await expect(import("node:fs").then((fs) => fs.existsSync(marker))).resolves.toBe(false);
  });

  it("asks anew when its content changed", () => {
    const name = write("change.mjs", "export default 1;");
    const before = asksOfExtensions(configOf(name)).map(describeAsk);
    write("change.mjs", "export default 2;");
    const after = asksOfExtensions(configOf(name)).map(describeAsk);
    expect(before).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(asksOfExtensions(configOf("loud"))).toEqual([]);
    expect(asksOfExtensions(configOf("./gone.mjs"))).toEqual([]);
  });

  it.each([
    ["throws.mjs", 'throw new Error("out of luck");', "the extension can't be loaded: out of luck"],
    ["syntax.ts", "export default {", /^the extension can't be loaded: /],
    ["none.mjs", "export const x = 1;", "the default export is not an object with a name and greet()"],
    ["unnamed.mjs", "export default { greet() {} };", /^the default export has no name: /],
    ["lacks.mjs", 'export default { name: "x", greet: 1 };', /^the default export has no greet\(\): /],
    ["imports.mjs", 'import "./a.mjs"; export default {};', /^the extension can't be loaded: /],
    ["package.mjs", 'import "zod"; export default {};', /^the extension can't be loaded: /],
  ])("that is wrong is told with what: %s", async (name, source, message) => {
    const file = write(name, source);
    await expect(load(file)).rejects.toMatchObject({
      code: "config",
      place: `extensions.diff: ${file}`,
      message: typeof message === "string" ? message : (expect.stringMatching(message) as string),
    });
  });

  it("lies in the project, by its real path, and can be read", async () => {
    writeFileSync(path.join(root, "outside.mjs"), "export default {};");
    symlinkSync("../outside.mjs", path.join(project(), "link.mjs"));
    for (const name of ["../outside.mjs", "./link.mjs"])
      await expect(load(name)).rejects.toMatchObject({ message: `${name} is outside the project` });
    mkdirSync(path.join(project(), "folder.mjs"));
    await expect(load("./folder.mjs")).rejects.toMatchObject({ message: "./folder.mjs can't be read: it is a folder" });
    await expect(load("./gone.mjs")).rejects.toMatchObject({ place: "extensions.diff" });
  });
});
