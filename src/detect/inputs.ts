/** Selects the files that affect a part of a project: neither documents nor the parts that it does not depend on. */
import { isWithin } from "../paths/index.ts";
import { below } from "./files.ts";
import type { ProjectFiles } from "./types.ts";

export interface Parts {
  /** Folder of the part; empty for the root. */
  own: string;
  /** Folders of the parts that it depends on. */
  needed: readonly string[];
  /** Folders of all parts of the project; those that the root does not depend on do not affect it. */
  others: readonly string[];
}

const documents =
  /^(?:docs?|website|\.github|\.vscode|\.idea|\.changeset)$|\.(?:md|mdx|rst|adoc)$|^(?:licen[cs]e|authors|contributors|codeowners|notice)(?:\.txt)?$/i;
const sourceFile = /\.(?:[cm]?[jt]sx?|py|rs|go|toml|cfg|json)$/;

/**
 * Returns patterns for `inputs`: the part, what it depends on, and everything at the top that belongs to no part.
 * Documents are left out unless a source or manifest names them (`include_str!("../README.md")`). Undefined means that
 * everything affects the part.
 */
export function inputsOf(files: ProjectFiles, { own, needed, others }: Parts): string[] | undefined {
  const tops = [...new Set(files.list.map((file) => file.split("/")[0]!))];
  const mentioned = mentionedIn(files, [own, ...needed]);
  const isDocument = (entry: string): boolean => documents.test(entry) && !mentioned(entry);
  if (own === "") {
    const out = [
      ...tops.filter(isDocument).map((entry) => `!${entry}${files.list.includes(entry) ? "" : "/"}`),
      ...others.filter((folder) => !needed.some((other) => overlap(folder, other))).map((folder) => `!${folder}/`),
    ];
    return out.length === 0 ? undefined : ["**", ...out];
  }
  const holdsParts = (top: string): boolean => others.some((folder) => isWithin(top, folder));
  const shared = tops.filter((top) => !isDocument(top) && (files.list.includes(top) || !holdsParts(top)));
  const folders = [own, ...needed].map((folder) => `${folder}/`);
  const inOwn = [...new Set(below(files, own).map((file) => file.split("/")[0]!))]
    .filter((entry) => isDocument(entry))
    .map((entry) => `!${own}/${entry}${files.list.includes(`${own}/${entry}`) ? "" : "/"}`);
  const shown = shared.map((top) => (files.list.includes(top) ? top : `${top}/`));
  return [...new Set([...shown, ...folders.toSorted()]), ...inOwn];
}

const overlap = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a);

/** Returns a test for whether any source names a document; reads at most 2,000 files of the part. */
function mentionedIn(files: ProjectFiles, folders: readonly string[]): (entry: string) => boolean {
  let text: string | undefined;
  return (entry) => {
    text ??= folders
      .flatMap((folder) => below(files, folder).map((file) => (folder === "" ? file : `${folder}/${file}`)))
      .filter((file) => sourceFile.test(file) && !file.endsWith("package-lock.json"))
      .slice(0, 2000)
      .map((file) => files.read(file))
      .join("\n");
    return text.includes(entry);
  };
}
