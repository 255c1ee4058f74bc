/** Checks everything about a configuration that needs no engine. */
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
  /** Absolute path. */
  file: string;
  moduleDir?: string;
  environment: NodeJS.ProcessEnv;
  /** Deepest level of checks. */
  level: Level;
  onNotice?: (text: string) => void;
}

/** A finding with its position. */
export interface Finding {
  code: CheckCode;
  severity: Severity;
  level: Level;
  /** `file:line:column`; only a line, or only a file, if no more is known. */
  place: string;
  /** Position in the configuration. */
  file?: string;
  line?: number;
  column?: number;
  message: string;
  hint?: string;
}

export interface Validation {
  /** Path as the user would write it. */
  file: string;
  findings: Finding[];
  /** Milliseconds that each level took. One that an earlier check found valid takes none. */
  tookMs: Partial<Record<Level, number>>;
}

/** Checks a configuration; errors at one level skip the deeper ones. */
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

/** A file that an earlier check found valid is recognized by its digest and not parsed again. */
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
    // An unreadable file is reported as it is; an invalid one with all of its problems.
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

/** Durations of older runs say nothing about current ones. */
const lookBackMs = 30 * 24 * 60 * 60_000;

/** Adds positions to findings; the text is parsed only if there is a finding in it. */
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

/** Sorts errors first, each severity in the order of the file. */
const rank = ({ severity, line = 1e6, column = 0 }: Finding): number =>
  (severity === "error" ? 0 : 1e12) + line * 1000 + Math.min(column, 999);

function inFile({ line, column, level, code, message, hint }: ConfigProblem, file: string): Finding {
  const given = { code, severity: catalogue[code].severity, level, message, ...(hint === undefined ? {} : { hint }) };
  return { ...given, place: `${file}:${line}:${column}`, file, line, column };
}
