/** Reads what files other than pyproject.toml declare for a test run. */
import path from "node:path";
import { shellWord } from "../../text/index.ts";
import { folderOf } from "../files.ts";

/** Returns the requirement files for a test run, at the top or in `requirements/`. */
export function requirementFiles(files: readonly string[]): string[] {
  const wanted =
    /^(?:requirements\/)?(?:requirements[-_.]?)?(?:requirements|base|main|common|dev|devel|develop|development|tests?|testing|ci)?(?:[-_.]?requirements)?\.txt$/;
  return files.filter(
    (file) =>
      wanted.test(file) &&
      (file.includes("requirements") || /(?:dev|test)/.test(file)) &&
      !/lock|constraints/.test(file),
  );
}

export const constraintFiles = (files: readonly string[]): string[] =>
  files.filter(
    (file) => /^(?:requirements\/)?constraints[^/]*\.txt$/.test(file) || /^requirements\/[^/]*\.in$/.test(file),
  );

/** Returns the extras of a setup.cfg. */
export function setupExtras(text: string): string[] {
  const table = /^\[options\.extras_require\]\s*\n((?:(?!\[\w)[^\n]*\n?)*)/m.exec(text)?.[1] ?? "";
  return [...table.matchAll(/^([A-Za-z][\w.-]*)\s*=/gm)].map((match) => match[1]!);
}

/** A line that installs the project itself, as `grep -E` reads it, too. */
const itself = String.raw`^[[:space:]]*((-e|--editable)[[:space:]=]*)?\.(\[[A-Za-z0-9_., -]*\])?[[:space:]]*([;#].*)?$`;
const itselfLine = new RegExp(itself.replaceAll("[:space:]", String.raw` \t`), "gm");

/** Returns the extras with which a requirements file installs the project itself; undefined if it does not. */
export function ownExtras(text: string): string[] | undefined {
  const lines = [...text.matchAll(itselfLine)];
  if (lines.length === 0) return undefined;
  return lines.flatMap((match) => match[3]?.slice(1, -1).split(",") ?? []).flatMap((name) => name.trim() || []);
}

/** Returns a command that installs a file's requirements without the project itself, whose sources come later. */
export function withoutItself(file: string): string {
  const folder = folderOf(file);
  const command = `grep -vE ${shellWord(itself)} ${shellWord(path.posix.basename(file))} | uv pip install -r -`;
  // Files that it names are relative to its own folder.
  return folder === "" ? command : `(cd ${shellWord(folder)} && ${command})`;
}
