/** `fastloop diff` for two runs, a run and a baseline, or two SBOM files. */
import { existsSync } from "node:fs";
import path from "node:path";
import {
  BaselineStore,
  diffPackages,
  diffPoint,
  diffRuns,
  guardedStrategy,
  packagesOf,
  renderLines,
  renderTree,
  runsNamed,
  type DiffStrategy,
} from "../../diff/index.ts";
import { loadConfig } from "../../config/index.ts";
import { ExitCode } from "../../errors/index.ts";
import { builtIn, extensionOf, loadExtension } from "../../extensions/index.ts";
import { placeProject, trustOf } from "../../plan/index.ts";
import { painter } from "../../report/index.ts";
import { RunStore } from "../../run/index.ts";
import { printable } from "../../text/index.ts";
import { isExtensionFile, readExtension } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import { trustModeOf } from "../trust/trust.ts";

export interface DiffRunsFlags {
  format: "tree" | "text" | "json";
  /** Undefined: the strategy of `extensions.diff`. */
  strategy?: string;
  all?: boolean;
  config?: string;
}

/**
 * Compares and prints two SBOM files, if both names are existing JSON files, else runs. Sets exit code 1 for a
 * difference.
 */
export async function diffOfRunsOrFiles(
  context: CliContext,
  before: string | undefined,
  now: string | undefined,
  flags: DiffRunsFlags,
): Promise<void> {
  const format = context.options.json ? "json" : flags.format;
  if (isFile(before, context) && isFile(now, context)) diffFiles(context, before, now, format);
  else await diffOfRuns(context, before ?? "previous", now ?? "last", { ...flags, format });
}

async function diffOfRuns(context: CliContext, before: string, now: string, flags: DiffRunsFlags): Promise<void> {
  const strategy = await strategyOf(context, flags);
  const { state } = placeProject({
    cwd: context.cwd,
    configFile: flags.config,
    onNotice: (text) => context.notice(text),
  });
  const store = new RunStore(state);
  const sources = { store, baselines: new BaselineStore(state) };
  const newer = runsNamed(now, sources);
  const older = runsNamed(before, sources);
  // If one side names a single function, only that function is compared.
  const ofBoth = (set: typeof newer, other: typeof newer, isNamed: boolean): typeof newer =>
    isNamed ? set : { ...set, runs: set.runs.filter(({ record }) => has(other, record.target)) };
  const has = (set: typeof newer, name: string): boolean => set.runs.some(({ record }) => record.target === name);
  const isSingle = older.runs.length === 1 && now === "last";
  const diff = diffRuns(older, ofBoth(newer, older, !isSingle), strategy, (digest) => store.manifests.read(digest));
  store.close();
  process.exitCode = diff.isDifferent ? ExitCode.failed : ExitCode.passed;
  if (flags.format === "json") return context.printJson(diff);
  const all = flags.all === true;
  context.print(
    flags.format === "text" ? renderLines(diff, all) : renderTree(diff, painter(context.colors("stdout")), all),
  );
}

/**
 * Returns the strategy. One that the user typed needs no further consent; one that the configuration names needs the
 * user's trust.
 */
async function strategyOf(
  context: CliContext,
  { strategy: typed, config: file }: DiffRunsFlags,
): Promise<DiffStrategy> {
  const { cwd } = context;
  if (typed !== undefined && !isExtensionFile(typed)) return await builtIn(diffPoint, typed, "--strategy");
  if (typed !== undefined)
    return guardedStrategy(await loadExtension(diffPoint, readExtension(cwd, "diff", typed), `--strategy ${typed}`));
  // Comparing runs must work with a broken configuration.
  const config = await loadConfig({ cwd, file }).catch(() => undefined);
  if (config?.config.extensions?.diff === undefined) return await builtIn(diffPoint, "set", "--strategy");
  const trust = trustOf(config, undefined, { environment: context.env, trust: trustModeOf(context) });
  const { extension, isForeign } = await extensionOf(diffPoint, config, trust, (text) => context.notice(text));
  return isForeign ? guardedStrategy(extension) : extension;
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
