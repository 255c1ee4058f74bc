import { expect, test } from "vitest";
import { detectParts, scaffoldConfig } from "../../../src/config/index.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { resolveSuite } from "../../../src/config/presets.ts";

/** A repository as a map of files. */
const detect = (files: Record<string, string>) => detectParts(Object.keys(files), (file) => files[file] ?? "");

test("a lock file tells the package manager, scripts tell the tiers", () => {
  const parts = detect({
    "package.json": JSON.stringify({ scripts: { lint: "x", test: "vitest run", build: "y" }, devDependencies: { vitest: "4" } }),
    "pnpm-lock.yaml": "",
  });
  expect(parts).toEqual([
    {
      name: "app",
      folder: "",
      preset: "pnpm",
      because: "pnpm-lock.yaml",
      runner: "vitest",
      tiers: { smoke: "pnpm run lint", fast: "pnpm run test", full: "pnpm run build" },
    },
  ]);
});

test("scripts named after the tiers win", () => {
  const [part] = detect({ "package.json": JSON.stringify({ scripts: { "test:smoke": "a", "test:full": "b", test: "c" } }) });
  expect(part?.tiers).toEqual({ smoke: "npm run test:smoke", full: "npm run test:full" });
});

test("each language is told by its own file, in the root or a folder", () => {
  const parts = detect({ "go.mod": "", "web/package.json": '{"scripts":{"test":"jest"}}', "web/yarn.lock": "", "ml/requirements.txt": "pytest==9\n", "core/Cargo.toml": "" });
  expect(parts.map(({ name, preset }) => [name, preset])).toEqual([["app", "go"], ["web", "yarn"], ["ml", "pip"], ["core", "cargo"]]);
});

test("a folder of the root's workspaces is no part of its own", () => {
  const parts = detect({
    "package.json": JSON.stringify({ workspaces: ["lib", "apps/*"], scripts: { test: "x" } }),
    "lib/package.json": '{"scripts":{"test":"x"}}',
  });
  expect(parts.map((part) => part.name)).toEqual(["app"]);
});

test("a package without tests is no part", () => {
  expect(detect({ "package.json": JSON.stringify({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }) })).toEqual([]);
});

test("what is written is a valid fastloop.yaml", () => {
  const parts = detect({ "package.json": '{"scripts":{"test":"x"}}', "ml/uv.lock": "pytest", "core/Cargo.toml": "" });
  const { config, problems } = parseConfig(scaffoldConfig("demo", parts));
  expect(problems).toEqual([]);
  expect(Object.keys(config?.watch?.targets ?? {})).toEqual(["app", "ml", "core"]);
  expect(config?.tests?.suites["ml"]).toMatchObject({ preset: "uv", root: "ml", runner: "pytest" });
});

test.each([
  ["npm", { "package.json": '{"scripts":{"test":"node --test"}}', "package-lock.json": "{}" }, "npm ci"],
  ["pnpm", { "package.json": '{"scripts":{"test":"jest"},"devDependencies":{"jest":"30"}}', "pnpm-lock.yaml": "" }, "pnpm install --frozen-lockfile"],
  ["yarn", { "package.json": '{"scripts":{"test":"vitest run"},"devDependencies":{"vitest":"4"}}', "yarn.lock": "" }, "yarn install --frozen-lockfile"],
  ["pip", { "requirements.txt": "pytest==8.4.1\n" }, "pip install"],
  ["uv", { "pyproject.toml": "[project]\n", "uv.lock": 'name = "pytest"\n' }, "uv sync --frozen"],
  ["poetry", { "pyproject.toml": "[tool.poetry]\n", "poetry.lock": 'name = "pytest"\n' }, "poetry install"],
  ["go", { "go.mod": "module m\n", "go.sum": "" }, "go mod download"],
  ["cargo", { "Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": "" }, "cargo build --workspace --tests"],
])("%s: a small repository is found, and its file is valid, installs and has tests", (preset, files, installs) => {
  const [part] = detect(files);
  expect(part?.preset).toBe(preset);
  const text = scaffoldConfig("small", [part!]);
  expect(text).toContain(`preset: ${preset}  # found ${part?.because}`);
  const { config, problems } = parseConfig(text);
  expect(problems).toEqual([]);
  const suite = resolveSuite(config!.tests!.suites["app"]!);
  expect(suite.install.join("\n")).toContain(installs);
  expect(Object.keys(suite.tiers)).toContain("fast");
  for (const file of Object.keys(files)) expect(suite.manifests.some((pattern) => pattern.replace("**/", "") === file), file).toBe(true);
});

test("a package.json that is none does not end the search, and a folder of any name gives a suite that a call can name", () => {
  const parts = detect({ "package.json": "{bad", "web app/package.json": '{"scripts":{"test":"x"}}', "Überbau/go.mod": "", "null/go.mod": "" });
  expect(parts.map(({ name, folder }) => [name, folder])).toEqual([["web-app", "web app"], ["Uberbau", "Überbau"], ["part-null", "null"]]);
  expect(parseConfig(scaffoldConfig("x", parts)).problems).toEqual([]);
});
