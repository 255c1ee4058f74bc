/** Reads what files other than pyproject.toml declare for a test run. */

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

/** Returns plain requirements under `deps` of tox.ini's `[testenv]`; those with factors or substitutions need tox. */
export function toxDependencies(text: string): string[] {
  const section = /^\[testenv\]\s*\n((?:(?!\[\w)[^\n]*\n?)*)/m.exec(text)?.[1] ?? "";
  const deps = /^deps\s*=((?:[^\n]*\n?)(?:[ \t]+[^\n]*\n?)*)/m.exec(section)?.[1] ?? "";
  return deps
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[A-Za-z][\w.-]*(?:\[[\w,.-]+\])?(?:\s*[<>=!~]=?[\w.*,<>=!~ -]+)?$/.test(line));
}
