/** All that can be said of a configuration without an engine. */
import path from "node:path";
import { loadProjectModule } from "../call/index.ts";
import {
  checkConfigFile,
  loadConfig,
  placesInConfig,
  readConfigFile,
  unreadable,
  type ConfigProblem,
  type LoadedConfig,
} from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { ModuleInfo } from "../module/index.ts";
import type { ResolvedTarget } from "../plan/index.ts";
import { History } from "../run/index.ts";
import { ProjectState } from "../state/index.ts";
import { sharingReads } from "../tree/index.ts";
import { checkCalls, inputAdvice } from "./calls.ts";
import { catalogue, levels, type CheckCode, type Level, type Severity } from "./catalogue.ts";
import type { Found } from "./finding.ts";
import { bodiesReadHost } from "./lints/bodies.ts";
import { editedUnread } from "./lints/edited.ts";
import { historyContradicts } from "./lints/history.ts";
import { installsOutsideBase, unpinnedImages } from "./lints/images.ts";
import { cachePolicies, sharedOutputs, unreadInputs } from "./lints/targets.ts";

export interface ValidateOptions {
  cwd: string;
  /** Absolute. */
  file: string;
  moduleDir?: string;
  environment: NodeJS.ProcessEnv;
  /** The deepest level that is looked at. */
  level: Level;
  onNotice?: (text: string) => void;
}

/** Something that a check found, at its place. */
export interface Finding {
  code: CheckCode;
  severity: Severity;
  level: Level;
  /** `file:line:column`; a line alone, or no place in it, where no more is known. */
  place: string;
  /** Where it is in the configuration. */
  file?: string;
  line?: number;
  column?: number;
  message: string;
  hint?: string;
}

export interface Validation {
  /** As the user would name it. */
  file: string;
  findings: Finding[];
  /** Milliseconds of each level that was looked at. One that an earlier look found valid takes none. */
  tookMs: Partial<Record<Level, number>>;
}

/** Errors of a level keep the deeper ones from being looked at. */
export async function validate(options: ValidateOptions): Promise<Validation> {
  const { cwd, file } = options;
  const name = path.relative(cwd, file) || file;
  const { config, problems, tookMs } = await readConfig(options, name);
  if (config === undefined || options.level !== "semantic") {
    const wanted = levels.slice(0, levels.indexOf(options.level) + 1);
    const findings = problems.filter(({ level }) => wanted.includes(level)).map((problem) => inFile(problem, name));
    return { file: name, findings, tookMs };
  }
  const startedMs = performance.now();
  const found = await semanticFindings(options, config);
  const findings = await placed(found, readConfigFile(file), name);
  return {
    file: name,
    findings,
    tookMs: { ...tookMs, semantic: (tookMs.semantic ?? 0) + performance.now() - startedMs },
  };
}

/** One that was found valid before is not read again: its digest says so. */
async function readConfig(
  { cwd, file }: ValidateOptions,
  name: string,
): Promise<{ config?: LoadedConfig; problems: ConfigProblem[]; tookMs: Validation["tookMs"] }> {
  const startedMs = performance.now();
  try {
    const config = await loadConfig({ cwd, file });
    return { config, problems: [], tookMs: { syntax: performance.now() - startedMs, structure: 0 } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const check = await checkConfigFile(file).catch((cause: unknown) => {
      throw unreadable(name, cause);
    });
    // What keeps it from being read is told as it is; what is wrong in it, all of it.
    if (check.problems.length === 0) throw error;
    return check;
  }
}

async function semanticFindings(options: ValidateOptions, config: LoadedConfig): Promise<Found[]> {
  const own = [...unpinnedImages(config.config), ...installsOutsideBase(config.config)];
  let module: ModuleInfo;
  let checked: { problems: Found[]; targets: ResolvedTarget[] };
  try {
    const { cwd, moduleDir, environment } = options;
    module = await loadProjectModule({ cwd, moduleDir, config, environment });
    checked = sharingReads(() => checkCalls(config, module));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, hint, place } = error;
    return [
      ...own,
      {
        code: "broken-module",
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(place === undefined ? {} : { place }),
      },
    ];
  }
  const { problems, targets } = checked;
  if (problems.length > 0) return [...own, ...problems];
  const state = new ProjectState(config.root, { onNotice: options.onNotice });
  return [
    ...own,
    ...sharingReads(() => [...inputAdvice(targets, config), ...unreadInputs(targets, config)]),
    ...(await editedUnread(targets, config, module)),
    ...sharedOutputs(targets, config),
    ...cachePolicies(targets),
    ...historyContradicts(config.config, targets, new History(state).entries(Date.now() - lookBackMs)),
    ...bodiesReadHost(module),
  ];
}

/** What runs took longer ago says nothing of today's. */
const lookBackMs = 30 * 24 * 60 * 60_000;

/** The text is parsed only where something was found in it. */
async function placed(found: readonly Found[], text: string, file: string): Promise<Finding[]> {
  const inConfig = found.some(({ path: at }) => at !== undefined);
  const placeOf = inConfig ? await placesInConfig(text) : undefined;
  return found
    .map(({ code, message, hint, path: at, word, place }): Finding => {
      const { severity, level } = catalogue[code];
      const given = { code, severity, level, message, ...(hint === undefined ? {} : { hint }) };
      if (at === undefined || placeOf === undefined) return { ...given, place: place ?? file };
      const { line, column } = placeOf(at, word);
      return { ...given, place: `${file}:${line}:${column}`, file, line, column };
    })
    .toSorted((a, b) => rank(a) - rank(b));
}

/** Errors first, each kind in the order of the file. */
const rank = ({ severity, line = 1e6, column = 0 }: Finding): number =>
  (severity === "error" ? 0 : 1e12) + line * 1000 + Math.min(column, 999);

function inFile({ line, column, level, code, message, hint }: ConfigProblem, file: string): Finding {
  const given = { code, severity: catalogue[code].severity, level, message, ...(hint === undefined ? {} : { hint }) };
  return { ...given, place: `${file}:${line}:${column}`, file, line, column };
}
