/**
 * Every code that `fastloop validate` reports, with an example that causes it. docs/validate.md is generated from it, and
 * a test runs each example.
 */
import type { ConfigCode } from "../config/index.ts";

/** Values of `--level`, from the one that needs least to the one that needs most. */
export const levels = ["syntax", "structure", "semantic"] as const;
export type Level = (typeof levels)[number];

/** An `error` makes the configuration invalid; a `warning` is valid, but probably a mistake. */
export type Severity = "error" | "warning";

export type CheckCode =
  | ConfigCode
  | "broken-module"
  | "unknown-function"
  | "unknown-argument"
  | "wrong-call"
  | "dead-input"
  | "unread-input"
  | "edited-unread"
  | "reads-git"
  | "own-output"
  | "shared-output"
  | "unpinned-image"
  | "install-outside-base"
  | "budget-exceeded"
  | "timeout-too-short"
  | "cached-effect"
  | "never-cached"
  | "body-reads-host";

export interface CheckDescription {
  level: Level;
  severity: Severity;
  /** What is wrong, in general. */
  title: string;
  /** The consequence, and what to do. */
  why: string;
  /** A `fastloop.yaml` that causes it. */
  example: string;
  /** The module's `src/index.ts`, if the example needs another one than `exampleModule`. */
  module?: string;
}

const yaml = (text: string): string => `version: 1\n${text}`;
const targets = (lines: string): string => yaml(`watch:\n  targets:\n${lines}`);

/** A module with the functions that the examples call. */
export const exampleModule = `import { Directory, dag, func, object } from "@dagger.io/dagger"

@object()
export class Example {
  @func()
  test(source: Directory, tier = "fast"): string {
    return tier
  }

  @func()
  build(source: Directory): Directory {
    return source
  }
}
`;

export const catalogue: Record<CheckCode, CheckDescription> = {
  "yaml-syntax": {
    level: "syntax",
    severity: "error",
    title: "The file is not YAML.",
    why: "Nothing of it can be read. The position is where the parser gave up; the mistake is there or on the line above.",
    example: yaml("name: [shop\n"),
  },
  "unknown-key": {
    level: "structure",
    severity: "error",
    title: "A key that fastloop does not know.",
    why: "It has no effect. The hint suggests a similar key, or lists the keys that are valid there.",
    example: yaml("wach: {}\n"),
  },
  "missing-key": {
    level: "structure",
    severity: "error",
    title: "A required key is missing.",
    why: "Without it, this part of the file has no meaning.",
    example: targets("    test: { needs: [] }\n"),
  },
  "wrong-value": {
    level: "structure",
    severity: "error",
    title: "A value in the wrong format.",
    why: "Durations, sizes, platforms and names have a format, which the message shows.",
    example: yaml("watch: { debounce: fast }\n"),
  },
  "unknown-reference": {
    level: "semantic",
    severity: "error",
    title: "A name that the file does not define.",
    why: "`needs`, `services` and tags must refer to something defined elsewhere in the file.",
    example: targets("    test: { call: test --source ., needs: [lint] }\n"),
  },
  circle: {
    level: "semantic",
    severity: "error",
    title: "Targets need each other in a cycle.",
    why: "None of them could ever start.",
    example: targets("    a: { call: test --source ., needs: [b] }\n    b: { call: test --source ., needs: [a] }\n"),
  },
  contradiction: {
    level: "semantic",
    severity: "error",
    title: "Settings that are each valid but contradict each other.",
    why: "The message says which key is missing, or which keys exclude each other.",
    example: yaml("tests:\n  suites:\n    unit: { tiers: { fast: npm test } }\n"),
  },
  "broken-module": {
    level: "semantic",
    severity: "error",
    title: "The module cannot be read.",
    why: "It does not exist, or its sources or its dagger.json are broken; the message says where.",
    example: targets("    test: { call: test --source . }\n"),
    module: "export class Example { // no end\n",
  },
  "unknown-function": {
    level: "semantic",
    severity: "error",
    title: "A call of a function that the module does not have.",
    why: "`fastloop functions` lists its functions.",
    example: targets("    test: { call: tset --source . }\n"),
  },
  "unknown-argument": {
    level: "semantic",
    severity: "error",
    title: "An argument that the function does not have.",
    why: "`fastloop call FUNCTION --help` lists its arguments.",
    example: targets("    test: { call: test --src . }\n"),
  },
  "wrong-call": {
    level: "semantic",
    severity: "error",
    title: "An invalid call.",
    why: "An argument is missing, a value has the wrong type, or the chain names something that the returned type does not have.",
    example: targets("    test: { call: test }\n"),
  },
  "dead-input": {
    level: "semantic",
    severity: "warning",
    title: "An entry of `inputs` that matches nothing.",
    why: "It can never cause a run of the target. The message suggests an entry that matches.",
    example: targets("    test: { call: test --source ., inputs: [scr/] }\n"),
  },
  "unread-input": {
    level: "semantic",
    severity: "warning",
    title: "An entry of `inputs` that no function of the call reads.",
    why: "An edit there reruns the target, with the same result. Remove the entry, or pass the folder to the call.",
    example: targets("    test: { call: test --source lib, inputs: [lib/, docs/] }\n"),
  },
  "edited-unread": {
    level: "semantic",
    severity: "warning",
    title: "An edited file that no target reads, although targets read other files of its kind.",
    why: "It differs from the last commit, but causes no run. Often it is beside the watched folder instead of in it. Only the folders on the way to an input are checked. Files that git ignores, and kinds of files that no target reads, are not reported.",
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
  },
  "reads-git": {
    level: "semantic",
    severity: "warning",
    title: "A directory of the call contains `.git`.",
    why: "Each git command would rerun the target. Exclude it with `watch.ignore`, or set `inputs`.",
    example: targets("    test: { call: test --source . }\n"),
  },
  "own-output": {
    level: "semantic",
    severity: "warning",
    title: "A target writes into its own inputs.",
    why: "Each run causes the next one. Exclude the output from `inputs`, or ignore it.",
    example: targets("    build: { call: build --source . export --path dist, inputs: [./] }\n"),
  },
  "shared-output": {
    level: "semantic",
    severity: "warning",
    title: "Two targets write to the same place.",
    why: "The result depends on which one finished last. Give each target its own folder.",
    example: targets(
      "    a: { call: build --source lib export --path dist, inputs: [lib/] }\n    b: { call: build --source docs export --path dist/docs, inputs: [docs/] }\n",
    ),
  },
  "unpinned-image": {
    level: "semantic",
    severity: "warning",
    title: "An image without a tag, or with the tag `latest`.",
    why: "The image can change without any change in the repository. Name a version or, better, a digest (`fastloop call lock-base`).",
    example: yaml("images:\n  base: { from: node }\n"),
  },
  "install-outside-base": {
    level: "semantic",
    severity: "warning",
    title: "System packages are installed outside the base image.",
    why: "They are installed again whenever an earlier layer changes. List them in `images.base.packages` to install them once.",
    example: yaml(
      "images:\n  base: { from: 'debian:bookworm-slim' }\n  dev:\n    layers: [{ name: tools, run: apt-get update && apt-get install -y git }]\n",
    ),
  },
  "budget-exceeded": {
    level: "semantic",
    severity: "warning",
    title: "A tier's budget is shorter than its runs.",
    why: "In the run history, half of the runs take longer. Make the tier faster, or raise the budget.",
    example: targets("    test: { call: test --source lib --tier smoke, inputs: [lib/] }\n").concat(
      "tests:\n  tiers: { smoke: { budget: 1s } }\n  suites: {}\n",
    ),
  },
  "timeout-too-short": {
    level: "semantic",
    severity: "warning",
    title: "A target's timeout is shorter than its slow runs.",
    why: "In the run history, one run in twenty takes longer. It would be stopped and reported as failed.",
    example: targets("    test: { call: test --source lib, inputs: [lib/], timeout: 1s }\n"),
  },
  "cached-effect": {
    level: "semantic",
    severity: "warning",
    title: "A function that seems to have outside effects may be answered from a cache.",
    why: 'An engine caches results for seven days unless the function says otherwise, so a second publish might not happen. Declare it `@func({ cache: "never" })`.',
    example: targets("    publish: { call: publish --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replaceAll("build(", "publish("),
  },
  "never-cached": {
    level: "semantic",
    severity: "warning",
    title: "A watched function is never cached by the engine.",
    why: 'Every run repeats all its work, even if another target\'s edit caused it. Use `cache: "never"` only for functions with outside effects.',
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replace("@func()\n  test", '@func({ cache: "never" })\n  test'),
  },
  "body-reads-host": {
    level: "semantic",
    severity: "warning",
    title: "A function body reads from the machine that it runs on.",
    why: "In an engine's container, its variables are not set and its files do not exist. Take what you need as arguments.",
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replace("return tier", "return process.env.HOME ?? tier"),
  },
};
