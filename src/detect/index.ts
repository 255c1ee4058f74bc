/**
 * Detects what a repository consists of: the parts with tests, how each is installed and tested, and what is not
 * covered.
 */
import { detectGo, detectRust } from "./compiled.ts";
import { withoutImage } from "./toolchains.ts";
import { folderOf, isPart } from "./files.ts";
import { detectNative } from "./native.ts";
import { detectNode } from "./node/node.ts";
import { detectPython } from "./python/python.ts";
import { asOwnerWhereRefused } from "./refusals.ts";
import { serviceNotes } from "./services.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "./types.ts";

export { detectDeploy } from "./kubernetes.ts";
export { wantsSingleQuotes } from "./quotes.ts";
export { scaffoldConfig } from "./scaffold.ts";
export { readProjectFiles } from "./read.ts";
export type { DetectedDeploy, DetectedSuite, Detection, ProjectFiles } from "./types.ts";

/** Versions for which this host has images, if it cannot get others. Empty: everything that a registry has. */
export interface AvailableImages {
  nodes?: readonly number[];
  pythons?: readonly number[];
  /** Whether no registry can be reached, so that there are no images for Go and Rust. */
  areAll?: boolean;
}

export function detectProject(files: ProjectFiles, { nodes, pythons, areAll }: AvailableImages = {}): Detection {
  const compiled = [detectGo(files), detectRust(files)];
  const managed = [
    detectNode(files, nodes),
    detectPython(files, pythons),
    ...(areAll === true ? compiled.map(withoutImage) : compiled),
  ];
  const native = managed.some(({ suites }) => suites.length > 0) ? [] : [detectNative(files)];
  const found = [...managed, ...native];
  const suites = uniquelyNamed(found).map((suite) => asOwnerWhereRefused(files, withOwnInputs(suite)));
  return {
    suites,
    packages: [...new Set(found.flatMap(({ packages }) => packages))].toSorted(),
    tools: found.flatMap(({ tools }) => tools ?? []),
    notes: [
      ...found.flatMap(({ notes }) => notes),
      ...otherNotes(files, suites),
      ...unsentNotes(files),
      ...serviceNotes(files, suites),
    ],
  };
}

/** Restricts a standalone suite's inputs to its own root, as nothing else of the project affects it. */
function withOwnInputs(suite: DetectedSuite): DetectedSuite {
  const root = suite.root ?? suite.folder;
  if (!suite.alone || root === "" || suite.inputs === undefined) return suite;
  const own = suite.inputs.filter((entry) => entry.replace(/^!/, "").startsWith(`${root}/`));
  return { ...suite, inputs: own.length === 0 ? undefined : own };
}

/** Manifests of tools without a preset. */
const others: [file: RegExp, tool: string][] = [
  [/^deno\.jsonc?$/, "Deno"],
  [/^pom\.xml$/, "Maven"],
  [/^build\.gradle(?:\.kts)?$/, "Gradle"],
  [/^(?:Gemfile|.+\.gemspec)$/, "Ruby"],
  [/^composer\.json$/, "PHP"],
  [/^mix\.exs$/, "Elixir"],
  [/^Package\.swift$/, "Swift"],
  [/^.+\.(?:csproj|fsproj|sln)$/, ".NET"],
  [/^CMakeLists\.txt$/, "CMake"],
];

/** Reports what is not covered, naming the topmost manifest of each tool. */
function otherNotes(files: ProjectFiles, suites: readonly DetectedSuite[]): string[] {
  return others.flatMap(([pattern, tool]) => {
    const [manifest] = files.list
      .filter((file) => pattern.test(file.split("/").at(-1)!) && isPart(folderOf(file)))
      .toSorted((a, b) => a.split("/").length - b.split("/").length);
    return manifest === undefined || (tool === "CMake" && suites.some(({ preset }) => preset === undefined))
      ? []
      : [
          `${manifest}: ${tool === "CMake" ? "no tests that CMake starts were found" : `fastloop has no preset for ${tool}`}; a suite with an \`image\` that has it can be written by hand (docs/configuration.md)`,
        ];
  });
}

/** Reports tracked files that the module leaves out as what a build makes. */
function unsentNotes({ list }: ProjectFiles): string[] {
  const unsent = list.filter((file) => /(?:^|\/)(?:dist|coverage|target)\/|\.log$/.test(file));
  if (unsent.length === 0) return [];
  const others = unsent.length === 1 ? "" : ` and ${unsent.length - 1} more`;
  return [
    `${unsent[0]}${others}: not sent, as folders named dist, coverage and target and *.log count as made by a build; tests that read them need a module of the project's own (\`fastloop init --module\`) with another \`ignore\``,
  ];
}

/** Makes suite names unique by appending the preset, else a number; needs are renamed with them. */
function uniquelyNamed(found: readonly Detection[]): DetectedSuite[] {
  const taken = new Set<string>();
  return found.flatMap(({ suites }) => {
    const renamed = new Map<string, string>();
    const named = suites.map((suite) => {
      const names = [
        suite.name,
        `${suite.name}-${suite.preset}`,
        ...Array.from({ length: suites.length }, (_, index) => `${suite.name}-${index + 2}`),
      ];
      const name = names.find((candidate) => !taken.has(candidate))!;
      taken.add(name);
      if (!renamed.has(suite.name)) renamed.set(suite.name, name);
      return { ...suite, name };
    });
    return named.map((suite) => ({ ...suite, needs: suite.needs.map((name) => renamed.get(name) ?? name) }));
  });
}
