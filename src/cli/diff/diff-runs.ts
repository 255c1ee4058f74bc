/** What is different between two runs, a run and a baseline, or two images. */
import { existsSync } from "node:fs";
import path from "node:path";
import {
  BaselineStore,
  diffPackages,
  diffRuns,
  editDistance,
  packagesOf,
  renderLines,
  renderTree,
  runsNamed,
  setBased,
} from "../../diff/index.ts";
import { ExitCode } from "../../errors/index.ts";
import { placeProject } from "../../plan/index.ts";
import { painter } from "../../report/index.ts";
import { RunStore } from "../../run/index.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";

export const strategies = { set: setBased, edit: editDistance };

export interface DiffRunsFlags {
  format: "tree" | "text" | "json";
  strategy: keyof typeof strategies;
  all?: boolean;
  config?: string;
}

export function diffOfRunsOrFiles(
  context: CliContext,
  before: string | undefined,
  now: string | undefined,
  flags: DiffRunsFlags,
): void {
  const format = context.options.json ? "json" : flags.format;
  if (isFile(before, context) && isFile(now, context)) diffFiles(context, before, now, format);
  else diffOfRuns(context, before ?? "previous", now ?? "last", { ...flags, format });
}

function diffOfRuns(context: CliContext, before: string, now: string, flags: DiffRunsFlags): void {
  const { state } = placeProject({
    cwd: context.cwd,
    configFile: flags.config,
    onNotice: (text) => context.notice(text),
  });
  const store = new RunStore(state);
  const sources = { store, baselines: new BaselineStore(state) };
  const newer = runsNamed(now, sources);
  const older = runsNamed(before, sources);
  // One side names a function: of the other only that is compared.
  const ofBoth = (set: typeof newer, other: typeof newer, isNamed: boolean): typeof newer =>
    isNamed ? set : { ...set, runs: set.runs.filter(({ record }) => has(other, record.target)) };
  const has = (set: typeof newer, name: string): boolean => set.runs.some(({ record }) => record.target === name);
  const isSingle = older.runs.length === 1 && now === "last";
  const diff = diffRuns(older, ofBoth(newer, older, !isSingle), strategies[flags.strategy], (digest) =>
    store.manifests.read(digest),
  );
  store.close();
  process.exitCode = diff.isDifferent ? ExitCode.failed : ExitCode.passed;
  if (flags.format === "json") return context.printJson(diff);
  const all = flags.all === true;
  context.print(
    flags.format === "text" ? renderLines(diff, all) : renderTree(diff, painter(context.colors("stdout")), all),
  );
}

function diffFiles(context: CliContext, before: string, now: string, format: DiffRunsFlags["format"]): void {
  const at = (file: string): string => path.resolve(context.cwd, file);
  const diff = diffPackages(packagesOf(at(before)), packagesOf(at(now)));
  const isDifferent = diff.added.length + diff.removed.length + diff.changed.length > 0;
  process.exitCode = isDifferent ? ExitCode.failed : ExitCode.passed;
  if (format === "json") return context.printJson({ before, now, ...diff, isDifferent });
  const paint = painter(context.colors("stdout"));
  const lines = [
    ...diff.added.map(({ name, version }) => paint("green", printable(`+ ${name} ${version}`))),
    ...diff.removed.map(({ name, version }) => paint("red", printable(`- ${name} ${version}`))),
    ...diff.changed.map((each) => paint("yellow", printable(`~ ${each.name} ${each.before} -> ${each.now}`))),
  ];
  context.print(`${(lines.length === 0 ? ["the same packages"] : lines).join("\n")}\n`);
}

function isFile(name: string | undefined, { cwd }: CliContext): name is string {
  return name !== undefined && name.endsWith(".json") && existsSync(path.resolve(cwd, name));
}
