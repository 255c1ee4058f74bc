import { LineCounter, stringify } from "yaml";
import type { ScalarTag } from "yaml";
import { printable, yamlDocuments } from "../../text/index.ts";
import { identityOf, nameOf, objectSchema } from "./objects.ts";
import type { Manifest } from "./objects.ts";
import { inPhases } from "./order.ts";
import { refuse } from "./problem.ts";

/** A file of manifests: YAML or JSON, with any number of documents. */
export interface ManifestFile {
  name: string;
  text: string;
}

const longestFile = 32 * 1024 * 1024;
const mostObjects = 5000;
const deepest = 200;

/** Reads `0644` as octal, as kubectl does. YAML 1.2 reads it as 644, and a mounted file would get other permissions. */
const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  format: "OCT",
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => (text.startsWith("-") ? -1 : 1) * Number.parseInt(text.replace(/^[-+]/, ""), 8),
};

/** Returns all objects of all files, with lists expanded. Throws one refusal with every problem of every file. */
export function parseManifests(files: readonly ManifestFile[]): Manifest[] {
  const problems: string[] = [];
  const manifests = files.flatMap((file) => parseFile(file, problems));
  const seen = new Map<string, string>();
  for (const { object, place } of manifests) {
    const first = seen.get(identityOf(object));
    if (first !== undefined) problems.push(`${place}: ${nameOf(object)} is also in ${first}`);
    seen.set(identityOf(object), place);
  }
  if (manifests.length > mostObjects) problems.push(`${manifests.length} objects; at most ${mostObjects} are deployed`);
  if (problems.length > 0) throw refuse(problems.join("\n"));
  return manifests;
}

/** Returns manifests as YAML text, in the order in which they are applied, each with a comment that gives its place. */
export function manifestsText(manifests: readonly Manifest[]): string {
  return inPhases(manifests, ({ object }) => object)
    .flat()
    .map(({ object, place }) => `# ${printable(place)}\n${stringify(object, { version: "1.1", lineWidth: 0 })}`)
    .join("---\n");
}

function parseFile({ name, text }: ManifestFile, problems: string[]): Manifest[] {
  const file = printable(name);
  if (text.length > longestFile) {
    problems.push(`${file}: longer than 32 MiB`);
    return [];
  }
  const lines = new LineCounter();
  const documents = yamlDocuments(text, { lineCounter: lines, customTags: (tags) => [octal, ...tags] });
  return documents.flatMap((document) => {
    const place = `${file}:${lines.linePos(document.contents?.range?.[0] ?? document.range[0]).line}`;
    const [error] = document.errors;
    if (error !== undefined) {
      problems.push(`${file}:${lines.linePos(error.pos[0]).line}: ${printable(error.message.split("\n")[0] ?? "")}`);
      return [];
    }
    let data: unknown;
    try {
      data = document.toJS();
    } catch (thrown) {
      // An alias that is undefined, or that would expand to exhaust memory.
      problems.push(`${place}: ${printable(thrown instanceof Error ? thrown.message : String(thrown))}`);
      return [];
    }
    return data == null ? [] : objectsOf(data, place, problems);
  });
}

/** Returns the object, or the items of a `List`. */
function objectsOf(data: unknown, place: string, problems: string[]): Manifest[] {
  if (isList(data)) return data.items.flatMap((item) => objectsOf(item, place, problems));
  if (isTooDeep(data, deepest)) {
    problems.push(`${place}: more than ${deepest} levels deep`);
    return [];
  }
  const result = objectSchema.safeParse(data);
  if (result.success) return [{ object: result.data, place }];
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  const generated = (data as { metadata?: { generateName?: unknown } } | null)?.metadata?.generateName !== undefined;
  problems.push(
    path === "metadata.name" && generated
      ? `${place}: \`metadata.generateName\` makes a new object at each deploy; give it a \`metadata.name\``
      : `${place}: no object of Kubernetes: ${path === "" ? "" : `\`${path}\`: `}${issue?.message ?? "not valid"}`,
  );
  return [];
}

const isList = (data: unknown): data is { items: unknown[] } =>
  typeof data === "object" &&
  data !== null &&
  String((data as { kind?: unknown }).kind).endsWith("List") &&
  Array.isArray((data as { items?: unknown }).items);

function isTooDeep(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isTooDeep(each, levels - 1));
}
