// The core API as data, read out of the SDK's generated declarations: what `fastloop call` may chain, and with which
// arguments, known without asking an engine.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const require = createRequire(import.meta.url);
const ts = require("typescript");

/** `{ types: { Container: { description, fields: { stdout: { description, args, returns } } } }, enums, inputs }`. */
export function coreSchema() {
  const file = path.join(path.dirname(require.resolve("@dagger.io/dagger")), "api/client.gen.d.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const classes = source.statements.filter(ts.isClassDeclaration).filter((node) => node.heritageClauses !== undefined);
  const aliases = new Map(source.statements.filter(ts.isTypeAliasDeclaration).map((node) => [node.name.text, node]));
  const enumNodes = source.statements.filter(ts.isEnumDeclaration);
  const known = {
    classes: new Set(classes.map((node) => node.name.text)),
    enums: new Set(enumNodes.map((node) => node.name.text)),
    aliases,
  };

  const types = {};
  for (const node of classes) {
    const fields = {};
    for (const member of node.members) {
      if (!ts.isPropertyDeclaration(member) || member.type === undefined || !ts.isFunctionTypeNode(member.type))
        continue;
      const name = graphqlName(member.name.getText());
      if (name === "id" || name === "with") continue;
      const args = member.type.parameters.flatMap((parameter) => argumentsOf(parameter, known, docOf(member)));
      const returns = typeOf(member.type.type, known);
      if (returns === undefined || args.some((argument) => argument.type === undefined)) continue;
      fields[name] = { description: docOf(member).text, args, returns };
    }
    const name = graphqlName(node.name.text);
    // The root object answers what needs no object before it.
    types[name === "Client" ? "Query" : name] = { description: docOf(node).text, fields };
  }
  const enums = Object.fromEntries(
    enumNodes.map((node) => [
      node.name.text,
      [
        ...new Set(
          node.members.map((member) => (ts.isStringLiteral(member.initializer) ? member.initializer.text : "")),
        ),
      ],
    ]),
  );
  return { types, enums };
}

function argumentsOf(parameter, known, doc) {
  const name = parameter.name.getText();
  const options = known.aliases.get(parameter.type.getText())?.type;
  if (name !== "opts" || options === undefined || !ts.isTypeLiteralNode(options)) {
    const text = doc.params[name] ?? "";
    return [
      {
        name: graphqlName(name),
        description: text,
        type: typeOf(parameter.type, known),
        optional: parameter.questionToken !== undefined,
      },
    ];
  }
  return options.members.map((member) => ({
    name: graphqlName(member.name.getText()),
    description: docOf(member).text,
    type: typeOf(member.type, known),
    optional: true,
  }));
}

/** As `TypeRef` of src/module; undefined for what a command line cannot express. */
function typeOf(node, known) {
  if (ts.isArrayTypeNode(node)) {
    const of = typeOf(node.elementType, known);
    return of && { kind: "list", of };
  }
  if (ts.isTypeReferenceNode(node) && node.typeName.getText() === "Promise")
    return typeOf(node.typeArguments[0], known);
  const text = node.getText();
  const plain = { string: "string", number: "integer", boolean: "boolean", void: "void", Void: "void" }[text];
  if (plain !== undefined) return { kind: plain };
  if (known.enums.has(text)) return { kind: "enum", name: text };
  if (known.classes.has(text)) return { kind: "object", name: graphqlName(text) };
  const alias = known.aliases.get(text)?.type;
  if (alias === undefined) return undefined;
  if (ts.isTypeLiteralNode(alias))
    return text === "BuildArg" || text === "PortForward" ? { kind: "input", name: text } : undefined;
  return { kind: "scalar", name: text };
}

/** Names that collide with JavaScript's own have an underscore at the end. */
function graphqlName(name) {
  return name.replace(/_$/, "");
}

function docOf(node) {
  const doc = node.jsDoc?.at(-1);
  const text = (comment) => (typeof comment === "string" ? comment : (ts.getTextOfJSDocComment(comment) ?? ""));
  const params = {};
  for (const tag of doc?.tags ?? []) if (ts.isJSDocParameterTag(tag)) params[tag.name.getText()] = text(tag.comment);
  return { text: text(doc?.comment).trim(), params };
}
