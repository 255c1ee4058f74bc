#!/usr/bin/env node
// The cases of the TypeScript SDK's own scanner (dagger/dagger, sdk/typescript), read by `fastloop functions`: fetched into a
// temporary folder, compared, printed as the table of docs/conformance.md. Nothing of them stays.
//
//   node tools/sdk-cases.mjs [--from URL-OR-FOLDER] [--tag v0.21.8]
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "https://github.com/dagger/dagger" },
    tag: { type: "string", default: "v0.21.8" },
  },
});
const testdata = "sdk/typescript/src/module/introspector/test/testdata";
/** Where the SDK's own test wants an error. */
const errors = { noDecorators: /not exposed|@object/, primitives: /String/, invalid: /no class Invalid with @object/ };

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-sdk-cases-"));

function fetched() {
  const sources = path.join(folder, "sources");
  const git = (...words) => execFileSync("git", words, { stdio: ["ignore", "ignore", "inherit"] });
  git("clone", "-q", "--no-checkout", "--filter=blob:none", "--depth=1", "--branch", values.tag, values.from, sources);
  git("-C", sources, "sparse-checkout", "set", "--no-cone", `/${testdata}/`);
  git("-C", sources, "checkout", "-q");
  return path.join(sources, testdata);
}

function cases(at) {
  return readdirSync(at, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() &&
        (existsSync(path.join(at, entry.name, "expected.json")) || Object.hasOwn(errors, entry.name)),
    )
    .map(({ name }) => ({ name, files: path.join(at, name) }));
}

/** Cases are called after what they show; a module has the name of its main object. */
function moduleName(name, files) {
  const file = path.join(files, "expected.json");
  const objects = existsSync(file) ? Object.keys(JSON.parse(readFileSync(file, "utf8")).objects) : [];
  const isMain = (object) => object.toLowerCase() === name.toLowerCase();
  return objects.length === 0 || objects.some(isMain) ? name : objects[0];
}

function result({ name, files }) {
  const root = path.join(folder, name);
  mkdirSync(path.join(root, "src"), { recursive: true });
  cpSync(files, path.join(root, "src"), { recursive: true });
  writeFileSync(
    path.join(root, "dagger.json"),
    JSON.stringify({ name: moduleName(name, files), engineVersion: values.tag, sdk: { source: "typescript" } }),
  );
  const program = path.resolve(import.meta.dirname, "../dist/fastloop.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "functions", "--json", "-m", root], {
    encoding: "utf8",
  });
  if (Object.hasOwn(errors, name))
    return status !== 0 && errors[name].test(stdout + stderr) ? "equal" : `no such error: ${oneLine(stderr)}`;
  if (status !== 0) return `not read: ${oneLine(stderr)}`;
  const [ours, theirs] = [JSON.parse(stdout), JSON.parse(readFileSync(path.join(files, "expected.json"), "utf8"))];
  return difference(plain(ofOurs(ours)), plain(ofTheirs(theirs)), "") ?? "equal";
}

const oneLine = (text) => text.trim().split("\n")[0].replaceAll("|", "\\|");
/** Without what is undefined. */
const plain = (value) => JSON.parse(JSON.stringify(value));

function difference(ours, theirs, at) {
  if (isDeepStrictEqual(ours, theirs)) return undefined;
  const isBranch = (value) => typeof value === "object" && value !== null;
  if (!isBranch(ours) || !isBranch(theirs)) return `${at}: ${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`;
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = difference(ours[key], theirs[key], at === "" ? key : `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const map = (record, convert) =>
  Object.fromEntries(Object.values(record ?? {}).map((each) => [each.name, convert(each)]));

// Both in one form: what an engine is told of a module.

function ofOurs({ objects, enums, interfaces }) {
  return {
    objects: map(objects, ({ description, deprecated, functions, fields, constructorArguments }) => ({
      description,
      deprecated,
      functions: map(functions, ourFunction),
      fields: map(fields, ({ description: text, type, exposed, alias, deprecated: old }) => ({
        description: text,
        type: ourType(type),
        exposed,
        alias,
        deprecated: old,
      })),
      constructor: constructorArguments && constructorArguments.map(ourArgument),
    })),
    enums: map(enums, ({ description, members }) => ({
      description,
      members: map(members, ({ value, description: text, deprecated }) => ({ value, description: text, deprecated })),
    })),
    interfaces: map(interfaces, ({ description, functions }) => ({
      description,
      functions: map(functions, ourFunction),
    })),
  };
}

const ourFunction = ({ alias, description, deprecated, arguments: args, returns }) => ({
  alias,
  description,
  deprecated,
  args: args.map(ourArgument),
  returns: ourType(returns),
});

const ourArgument = ({
  name,
  description,
  deprecated,
  type,
  optional,
  nullable,
  variadic,
  defaultValue,
  defaultPath,
  ignore,
}) => ({
  name,
  description,
  deprecated,
  type: ourType(type),
  optional,
  nullable,
  variadic,
  defaultValue,
  defaultPath,
  ignore,
});

const ourType = (type) => (type.kind === "list" ? [ourType(type.of)] : (type.name ?? type.kind));

function ofTheirs({ objects, enums, interfaces }) {
  const members = (name) => Object.values(enums?.[name]?.values ?? {});
  const argument = ({
    name,
    description,
    deprecated,
    type,
    isOptional,
    isNullable,
    isVariadic,
    defaultValue,
    defaultPath,
    ignore,
  }) => ({
    name,
    description,
    deprecated,
    type: theirType(type),
    optional: isOptional,
    nullable: isNullable,
    variadic: isVariadic,
    // fastloop keeps an enum's member by its name.
    defaultValue: members(type?.name).find(({ value }) => value === defaultValue)?.name ?? defaultValue,
    defaultPath,
    ignore,
  });
  const fn = ({ alias, description, deprecated, arguments: args, returnType }) => ({
    alias,
    description,
    deprecated,
    args: Object.values(args).map(argument),
    returns: theirType(returnType),
  });
  return {
    objects: map(objects, ({ description, deprecated, methods, properties, constructor: made }) => ({
      description,
      deprecated,
      functions: map(methods, fn),
      fields: map(properties, ({ description: text, type, isExposed, alias, deprecated: old }) => ({
        description: text,
        type: theirType(type),
        exposed: isExposed,
        alias,
        deprecated: old,
      })),
      constructor: typeof made === "object" ? Object.values(made.arguments).map(argument) : undefined,
    })),
    enums: map(enums, ({ description, values: list }) => ({
      description,
      members: map(list, ({ value, description: text, deprecated }) => ({ value, description: text, deprecated })),
    })),
    interfaces: map(interfaces, ({ description, functions }) => ({ description, functions: map(functions, fn) })),
  };
}

function theirType(type) {
  const kinds = { STRING_KIND: "string", INTEGER_KIND: "integer", FLOAT_KIND: "float", BOOLEAN_KIND: "boolean" };
  if (type === undefined || type.kind === "VOID_KIND") return "void";
  if (type.kind === "LIST_KIND") return [theirType(type.typeDef)];
  return kinds[type.kind] ?? type.name?.replace(/_$/, "");
}

try {
  const rows = cases(fetched()).map((one) => ({ name: one.name, result: result(one) }));
  console.log("| case | result |\n|---|---|");
  for (const { name, result: told } of rows) console.log(`| ${name} | ${told} |`);
  const equal = rows.filter(({ result: told }) => told === "equal").length;
  console.log(`\n${equal} of ${rows.length} equal (${values.tag})`);
  process.exitCode = equal === rows.length ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
