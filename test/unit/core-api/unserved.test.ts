import { readFileSync } from "node:fs";
import path from "node:path";
import { isObjectType } from "graphql";
import { expect, it } from "vitest";
import { buildApiSchema } from "../../../src/core-api/schema/schema.ts";
import { distFile } from "../../../src/paths/index.ts";

interface Stored {
  types: Record<string, { fields: Record<string, { args: { name: string }[] }> }>;
}

/** Of the SDK's API, what the embedded engine has not: fields and arguments by their type; `*` is all of the type. */
function unserved(): Record<string, string[]> {
  const { types } = JSON.parse(readFileSync(distFile("core-schema.json"), "utf8")) as Stored;
  const schema = buildApiSchema();
  const isType = (name: string): boolean => !name.startsWith("_");
  // What loads an object from its id goes with the object.
  const isLoader = (field: string): boolean => /^load\w+FromID$/.test(field);
  const rows = Object.entries(types)
    .filter(([name]) => isType(name))
    .map(([name, { fields }]): [string, string[]] => {
      const type = schema.getType(name);
      if (!isObjectType(type)) return [name, ["*"]];
      const served = type.getFields();
      return [
        name,
        Object.entries(fields).flatMap(([field, { args }]) => {
          const known = served[field]?.args.map((argument) => argument.name);
          if (known === undefined) return isLoader(field) ? [] : [field];
          return args
            .filter((argument) => !known.includes(argument.name))
            .map((argument) => `${field}(${argument.name})`);
        }),
      ];
    });
  return Object.fromEntries(rows.filter(([, fields]) => fields.length > 0));
}

/** The table of docs/engines.md, by type. */
function told(): Record<string, string[]> {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../../docs/engines.md"), "utf8");
  const table = text.slice(text.indexOf("### By type"));
  const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const rows = [...table.matchAll(/^\| (`.+?) \| (.+?) \|$/gm)].flatMap(([, types = "", cell = ""]) =>
    names(types).map((type): [string, string[]] => [type, cell === "the whole type" ? ["*"] : names(cell)]),
  );
  return Object.fromEntries(rows);
}

it("what the embedded engine does not serve is what docs/engines.md says", () => {
  expect(told()).toEqual(unserved());
});
