/** Programs that tests start and slim images lack, with their Debian packages. */
import { below, joined } from "./files.ts";
import type { ProjectFiles } from "./types.ts";

const packageOf: Readonly<Record<string, string>> = {
  git: "git",
  less: "less",
  curl: "curl",
  wget: "wget",
  make: "make",
  gcc: "gcc",
  cc: "gcc",
  gpg: "gnupg",
  ssh: "openssh-client",
  ps: "procps",
  zip: "zip",
  unzip: "unzip",
  rsync: "rsync",
  sqlite3: "sqlite3",
  openssl: "openssl",
  xz: "xz-utils",
  man: "man-db",
  jq: "jq",
};
const isTest =
  /(?:^|\/)(?:tests?|__tests__|spec)\/|(?:[._-](?:test|spec)\.[cm]?[jt]sx?|(?:^|\/)test_[^/]*\.py|_test\.py|conftest\.py)$/;
const isSource = /\.(?:[cm]?[jt]sx?|py)$/;

/** Returns up to 400 test files of a folder, relative to the project. */
export const testFiles = (files: ProjectFiles, folder: string): string[] =>
  below(files, folder)
    .filter((file) => isTest.test(file) && isSource.test(file))
    .slice(0, 400)
    .map((file) => joined(folder, file));

/** Returns the Debian packages of programs that tests below a folder start, such as `spawn("git", ...)`. */
export function programsOfTests(files: ProjectFiles, folder: string): string[] {
  const found = new Set<string>();
  for (const file of testFiles(files, folder)) {
    for (const [, word = "", inShell = ""] of files
      .read(file)
      .matchAll(
        /["'`]([a-z][a-z0-9]{1,7})["'`]|(?:exec\w{0,30}|spawn\w{0,30}|run|system|check_output|check_call|Popen)\s*\(\s*f?["'`]([a-z][a-z0-9]{1,7}) /g,
      )) {
      const program = packageOf[word || inShell];
      if (program !== undefined) found.add(program);
    }
  }
  return [...found].toSorted();
}

/** Returns Debian packages that compile a Python project's C or Rust code, as its wheel is built where it is tested. */
export function compilersOf(files: ProjectFiles, folder: string): string[] {
  const isSourceOfC = (file: string): boolean => /\.(?:c|cc|cpp|cxx|pyx)$/.test(file);
  const build = ["pyproject.toml", "setup.py", "setup.cfg"].map((file) => files.read(joined(folder, file))).join("\n");
  if (/\b(?:maturin|setuptools[-_]rust)\b/.test(build))
    return ["cargo-web", "gcc", "libc6-dev", "pkg-config", "python3-dev", "rustc-web"];
  const isExtension =
    /\bExtension\s*\(|\bext[-_]modules\b|\bcythonize\b|\b(?:mesonpy|meson-python|scikit[-_]build)/.test(build);
  // Tests of a tool that builds packages compile what lies among their fixtures.
  const sources = below(files, folder).filter((file) => isSourceOfC(file) && (isExtension || /^tests?\//.test(file)));
  if (sources.length === 0) return [];
  const isPlusPlus = sources.some((file) => /\.(?:cc|cpp|cxx)$/.test(file));
  return [isPlusPlus ? "g++" : "gcc", "libc6-dev", "python3-dev"];
}

/** Returns git if a package is installed from a git repository; GitHub archives do not need it. */
export function gitOf(files: ProjectFiles, folder: string): string[] {
  const pins = below(files, folder).filter(
    (file) =>
      !file.includes("/") &&
      /^(?:package(?:-lock)?\.json|yarn\.lock|bun\.lock|uv\.lock|poetry\.lock|pdm\.lock|pyproject\.toml|requirements[^/]*\.txt)$/.test(
        file,
      ),
  );
  return pins.some((file) =>
    /\bgit\+(?:https?|ssh|file):|\bgit = "|^\s*type = "git"/m.test(files.read(joined(folder, file))),
  )
    ? ["git"]
    : [];
}
