/**
 * Every code that `fastloop validate` tells, with an example that brings it about. docs/validate.md is written from it, and
 * a test runs each example.
 */
import type { ConfigCode } from "../config/index.ts";

/** What `--level` chooses, from what needs least to what needs most. */
export const levels = ["syntax", "structure", "semantic"] as const;
export type Level = (typeof levels)[number];

/** An `error` makes the configuration invalid; a `warning` is allowed, but hardly what was meant. */
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
  /** What comes of it, and what to do. */
  why: string;
  /** A `fastloop.yaml` that brings it about. */
  example: string;
  /** The module's `src/index.ts` of the example, where it is about that. */
  module?: string;
}

const yaml = (text: string): string => `version: 1\n${text}`;
const targets = (lines: string): string => yaml(`watch:\n  targets:\n${lines}`);

/** A module with what the examples call. */
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
    why: "Nothing of it can be read. The place is where the reader gave up; the mistake is there or a line above.",
    example: yaml("name: [shop\n"),
  },
  "unknown-key": {
    level: "structure",
    severity: "error",
    title: "A key that fastloop does not know.",
    why: "It would do nothing. The hint names the key that was probably meant, or those that are known there.",
    example: yaml("wach: {}\n"),
  },
  "missing-key": {
    level: "structure",
    severity: "error",
    title: "A key that has to be there is missing.",
    why: "Without it the part of the file means nothing.",
    example: targets("    test: { needs: [] }\n"),
  },
  "wrong-value": {
    level: "structure",
    severity: "error",
    title: "A value of another form than is expected.",
    why: "Durations, sizes, platforms and names have a form, which the message shows.",
    example: yaml("watch: { debounce: fast }\n"),
  },
  "unknown-reference": {
    level: "semantic",
    severity: "error",
    title: "A name that nothing in the file has.",
    why: "`needs`, `services` and tags refer to what is declared elsewhere in the file.",
    example: targets("    test: { call: test --source ., needs: [lint] }\n"),
  },
  circle: {
    level: "semantic",
    severity: "error",
    title: "Targets need each other in a circle.",
    why: "None of them could ever start.",
    example: targets("    a: { call: test --source ., needs: [b] }\n    b: { call: test --source ., needs: [a] }\n"),
  },
  contradiction: {
    level: "semantic",
    severity: "error",
    title: "Parts that are right by themselves make no sense together.",
    why: "The message says which key is missing, or which of them exclude each other.",
    example: yaml("tests:\n  suites:\n    unit: { tiers: { fast: npm test } }\n"),
  },
  "broken-module": {
    level: "semantic",
    severity: "error",
    title: "The module can't be read.",
    why: "There is none, or its sources or its dagger.json are broken; the message says where.",
    example: targets("    test: { call: test --source . }\n"),
    module: "export class Example { // no end\n",
  },
  "unknown-function": {
    level: "semantic",
    severity: "error",
    title: "A call of a function that the module does not have.",
    why: "`fastloop functions` lists those that it has.",
    example: targets("    test: { call: tset --source . }\n"),
  },
  "unknown-argument": {
    level: "semantic",
    severity: "error",
    title: "An argument that the function does not have.",
    why: "`fastloop call FUNCTION --help` lists those that it has.",
    example: targets("    test: { call: test --src . }\n"),
  },
  "wrong-call": {
    level: "semantic",
    severity: "error",
    title: "A call that can't be made.",
    why: "An argument is missing, a value has the wrong type, or what follows is not there on what the function returns.",
    example: targets("    test: { call: test }\n"),
  },
  "dead-input": {
    level: "semantic",
    severity: "warning",
    title: "An entry of `inputs` that matches nothing.",
    why: "No edit would ever run the target because of it. The message says what was probably meant.",
    example: targets("    test: { call: test --source ., inputs: [scr/] }\n"),
  },
  "unread-input": {
    level: "semantic",
    severity: "warning",
    title: "An entry of `inputs` that no function of the call reads.",
    why: "An edit there runs the target again, with the same result. Leave it out, or give the call the folder.",
    example: targets("    test: { call: test --source lib, inputs: [lib/, docs/] }\n"),
  },
  "edited-unread": {
    level: "semantic",
    severity: "warning",
    title: "An edited file that no target reads, though targets read such files.",
    why: "It differs from the last commit, and nothing runs because of it. Often it lies beside the watched folder instead of in it: the folders on the way to an input are looked at. Files that git ignores, and kinds that no target reads, are not told.",
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
  },
  "reads-git": {
    level: "semantic",
    severity: "warning",
    title: "A directory of the call holds `.git`.",
    why: "Each git command would run the target again. Leave it out with `watch.ignore`, or name `inputs`.",
    example: targets("    test: { call: test --source . }\n"),
  },
  "own-output": {
    level: "semantic",
    severity: "warning",
    title: "A target writes into its own inputs.",
    why: "Each run makes the next one necessary. Leave the output out of `inputs`, or ignore it.",
    example: targets("    build: { call: build --source . export --path dist, inputs: [./] }\n"),
  },
  "shared-output": {
    level: "semantic",
    severity: "warning",
    title: "Two targets write to the same place.",
    why: "Which result is there depends on which one ended last. Give each a folder of its own.",
    example: targets(
      "    a: { call: build --source lib export --path dist, inputs: [lib/] }\n    b: { call: build --source docs export --path dist/docs, inputs: [docs/] }\n",
    ),
  },
  "unpinned-image": {
    level: "semantic",
    severity: "warning",
    title: "An image without a tag, or with the tag `latest`.",
    why: "It is another image tomorrow, and nobody changed anything. Name a version; best is a digest (`fastloop call lock-base`).",
    example: yaml("images:\n  base: { from: node }\n"),
  },
  "install-outside-base": {
    level: "semantic",
    severity: "warning",
    title: "System packages are installed outside of the base image.",
    why: "They are installed again whenever what stands before them changes. `images.base.packages` has them once.",
    example: yaml(
      "images:\n  base: { from: 'debian:bookworm-slim' }\n  dev:\n    layers: [{ name: tools, run: apt-get update && apt-get install -y git }]\n",
    ),
  },
  "budget-exceeded": {
    level: "semantic",
    severity: "warning",
    title: "A tier's budget is smaller than what its runs take.",
    why: "The history of runs says so: half of them take longer. Make the tier quicker, or the budget honest.",
    example: targets("    test: { call: test --source lib --tier smoke, inputs: [lib/] }\n").concat(
      "tests:\n  tiers: { smoke: { budget: 1s } }\n  suites: {}\n",
    ),
  },
  "timeout-too-short": {
    level: "semantic",
    severity: "warning",
    title: "A target's time limit is below what its slow runs take.",
    why: "The history of runs says that one in twenty takes longer; it would be ended, and called failed.",
    example: targets("    test: { call: test --source lib, inputs: [lib/], timeout: 1s }\n"),
  },
  "cached-effect": {
    level: "semantic",
    severity: "warning",
    title: "A function that seems to change something elsewhere may be answered out of a cache.",
    why: 'An engine keeps results for seven days unless the function says otherwise: what should be published again is not. Declare it `@func({ cache: "never" })`.',
    example: targets("    publish: { call: publish --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replaceAll("build(", "publish("),
  },
  "never-cached": {
    level: "semantic",
    severity: "warning",
    title: "A watched function is never cached by the engine.",
    why: 'Every run that another target\'s edit causes does all its work anew. Leave `cache: "never"` to what changes something elsewhere.',
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replace("@func()\n  test", '@func({ cache: "never" })\n  test'),
  },
  "body-reads-host": {
    level: "semantic",
    severity: "warning",
    title: "A function body reads the machine that it runs on.",
    why: "In an engine's container there is nothing of it: variables are not set, files are not there. Take what is needed as arguments.",
    example: targets("    test: { call: test --source lib, inputs: [lib/] }\n"),
    module: exampleModule.replace("return tier", "return process.env.HOME ?? tier"),
  },
};
