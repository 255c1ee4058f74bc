/** Modules that are none: what is wrong, dagger.json, files, and the error that a user sees. */

import { expect } from "vitest";

export const manifest = '{\n  "name": "it",\n  "engineVersion": "v0.21.4",\n  "sdk": { "source": "typescript" }\n}\n';
export const decorated = (members: string, before = ""): string =>
  `import { dag, func, object, argument, Container, Directory, File } from "@dagger.io/dagger"\n${before}\n@object()\nexport class It {\n${members}\n}\n`;

export const brokenModules: [
  what: string,
  manifest: string,
  files: Record<string, string>,
  error: Record<string, unknown>,
][] = [
  [
    "JSON that ends too early",
    '{\n  "name": "it"',
    {},
    { place: "dagger.json:2:15", message: "not valid JSON: Expected ',' or '}' after property value" },
  ],
  [
    "a comma too many",
    '{\n  "name": "it",\n}',
    {},
    { place: "dagger.json:3:1", message: "not valid JSON: Expected double-quoted property name" },
  ],
  [
    "a wrong type",
    '{\n  "name": 7\n}',
    {},
    { place: "dagger.json:2:11", message: '"name": expected string, received number' },
  ],
  ["no name", '{ "sdk": "typescript" }', {}, { place: "dagger.json:1:1", message: '"name" is missing' }],
  [
    "no SDK",
    '{ "name": "it" }',
    {},
    { place: "dagger.json:1:1", message: "this module has no SDK, so it has no functions" },
  ],
  [
    "another SDK",
    '{\n  "name": "it",\n  "sdk": "go"\n}',
    {},
    { place: "dagger.json:3:10", message: "a module in go needs a Dagger engine; fastloop runs TypeScript modules" },
  ],
  [
    "a source outside",
    '{ "name": "it", "sdk": "typescript", "source": "../x" }',
    {},
    { place: "dagger.json:1:48", message: '"source" must be a folder below dagger.json, not ../x' },
  ],
  [
    "no sources",
    manifest,
    {},
    { place: "dagger.json:1:1", message: "the module's code belongs in src/, which is not there" },
  ],
  ["an empty src", manifest, { "src/readme.md": "" }, { place: "src", message: "the module has no TypeScript files" }],
  [
    "a syntax error",
    manifest,
    { "src/index.ts": "export class It {\n  oops(: string {}\n}\n" },
    { place: "src/index.ts:2:8", message: "Parameter declaration expected." },
  ],
  [
    "no main object",
    manifest,
    { "src/index.ts": 'import { object } from "@dagger.io/dagger"\n@object()\nexport class Other {}' },
    {
      place: "src/index.ts:3",
      message: "no class It with @object() in src",
      hint: "the main object is named like the module; found Other",
    },
  ],
  [
    "a type that no engine has",
    manifest,
    { "src/index.ts": decorated("@func() a(b: number, c: any): string { return String(b) + String(c) }") },
    { place: "src/index.ts:5:25", message: "could not resolve type reference for any." },
  ],
  [
    "a class that is not exposed",
    manifest,
    { "src/index.ts": decorated("@func() a(): Plain { return new Plain() }", "class Plain {}") },
    {
      place: "src/index.ts:2:1",
      message: "class Plain is used by the module but not exposed with a dagger decorator.",
    },
  ],
  [
    "an unknown type",
    manifest,
    { "src/index.ts": decorated("@func() a(x: Nowhere): void {}") },
    { message: expect.stringContaining("Nowhere") },
  ],
];
