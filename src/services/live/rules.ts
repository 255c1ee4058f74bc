/** Decides what an edit of a file means for a service, by paths relative to the project alone, without an engine. */
import path from "node:path";
import { isWithin } from "../../paths/index.ts";
import type { Config, LoadedConfig, UpRulesConfig, UpServiceConfig } from "../../config/index.ts";
import { PathTest } from "../../tree/index.ts";

/** Ordered by effect: of several edits the strongest action counts. */
export const actions = ["none", "sync", "restart", "rebuild"] as const;
export type Action = (typeof actions)[number];

/** Maps files of the project to their place in the container. */
interface SyncRule {
  /** Where the rule is written, or what it was inferred from. */
  from: string;
  includes(file: string): boolean;
  /** Returns the file's place in the container: `path` below `root`. */
  place(file: string): { root: string; path: string };
}

interface NamedTest {
  from: string;
  includes(file: string): boolean;
}

export interface LiveRules {
  sync: readonly SyncRule[];
  run: readonly (NamedTest & { command: string })[];
  restart: readonly NamedTest[];
  rebuild: readonly NamedTest[];
}

export interface Decision {
  action: Action;
  /** Place in the container of a synced file. */
  place?: { root: string; path: string };
  commands: readonly string[];
  /** Rule that decided, for messages. */
  rule: string;
}

/**
 * Decides what an edit of a file does; the first match wins: a `rebuild` rule of `up`; a `restart` rule, for a file that
 * is synced or that no build reads; an inferred rebuild rule; a sync rule. Commands of `run` go with a restart or a sync.
 */
export function decide(rules: LiveRules, file: string): Decision {
  const [declared, inferred] = [true, false].map((isDeclared) =>
    rules.rebuild.find((rule) => rule.from.startsWith("up.") === isDeclared && rule.includes(file)),
  );
  if (declared !== undefined) return { action: "rebuild", commands: [], rule: declared.from };
  const sync = rules.sync.find((rule) => rule.includes(file));
  const commands = rules.run.filter((rule) => rule.includes(file)).map(({ command }) => command);
  const restart = rules.restart.find((rule) => rule.includes(file));
  const place = sync === undefined ? {} : { place: sync.place(file) };
  if (restart !== undefined && (sync !== undefined || inferred === undefined))
    return { action: "restart", ...place, commands, rule: restart.from };
  // A file that is both copied and read by an install step changes the installation, so a sync is not enough.
  if (inferred !== undefined) return { action: "rebuild", commands: [], rule: inferred.from };
  if (sync !== undefined) return { action: "sync", ...place, commands, rule: sync.from };
  return { action: "none", commands: [], rule: "no rule: the service does not hold it" };
}

/** Returns the rules of a service: those inferred from `services` and those that `up` adds. */
export function rulesOf(
  name: string,
  { config, root }: Pick<LoadedConfig, "config" | "root">,
  callInputs: readonly string[] | undefined,
): LiveRules {
  const named = (from: string, patterns: readonly string[]): NamedTest => ({ from, includes: testOf(root, patterns) });
  const local = config.local?.[name];
  if (local !== undefined) {
    const from = `local.${name}.inputs`;
    return { sync: [], run: [], restart: local.inputs === undefined ? [] : [named(from, local.inputs)], rebuild: [] };
  }
  const rules = config.up?.[name] ?? {};
  const service = config.services?.[name];
  const own = service === undefined || service.function !== undefined ? undefined : service;
  const declared = declaredSync(name, rules, root);
  return {
    sync: [...declared, ...(own === undefined ? [] : inferredSync(name, own, config, root))],
    run: (rules.run ?? []).map(({ on, do: command }, index) => ({ ...named(`up.${name}.run[${index}]`, on), command })),
    restart: rules.restart === undefined ? [] : [named(`up.${name}.restart`, rules.restart)],
    rebuild: [
      ...(rules.rebuild === undefined ? [] : [named(`up.${name}.rebuild`, rules.rebuild)]),
      ...(own === undefined
        ? inputsOfCall(declared, rules.restart === undefined ? [] : [named("", rules.restart)], callInputs)
        : inferredRebuild(name, own, config, named).map((rule) =>
            // A sync rule or mount for a file wins over the build context that merely contains it.
            rule.from === `services.${name}.build` ? less(rule, [...declared, ...mounted(name, own, root)]) : rule,
          )),
    ],
  };
}

const less = (rule: NamedTest, others: readonly SyncRule[]): NamedTest => ({
  from: rule.from,
  includes: (file) => rule.includes(file) && !others.some((other) => other.includes(file)),
});

function testOf(root: string, patterns: readonly string[]): (file: string) => boolean {
  const test = new PathTest(root, { include: patterns.map((pattern) => (/^\.?\/?$/.test(pattern) ? "**" : pattern)) });
  return (file) => test.selects(file);
}

/** Returns `file` relative to `folder`, both relative to the project's root; undefined when it is not inside. */
function below(folder: string, file: string): string | undefined {
  const normal = path.posix.normalize(folder).replace(/\/$/, "");
  if (normal === ".") return file;
  return file.startsWith(`${normal}/`) ? file.slice(normal.length + 1) : undefined;
}

const declaredSync = (name: string, { sync = [] }: UpRulesConfig, root: string): SyncRule[] =>
  syncRules(`up.${name}.sync`, sync, root);

const mounted = (name: string, { mounts = {} }: UpServiceConfig, root: string): SyncRule[] =>
  syncRules(
    `services.${name}.mounts`,
    Object.entries(mounts).map(([from, to]) => ({ from, to })),
    root,
  );

function syncRules(place: string, given: NonNullable<UpRulesConfig["sync"]>, root: string): SyncRule[] {
  return given.map(({ from: given, to, exclude = [] }, index) => {
    const from = path.posix.normalize(given).replace(/\/$/, "");
    const isFolder = given.endsWith("/") || given === ".";
    const left = new PathTest(path.join(root, from), { exclude });
    return {
      from: `${place}[${index}]`,
      includes: (file) => {
        const inside = isFolder ? below(from, file) : undefined;
        return isFolder ? inside !== undefined && left.selects(inside) : file === from;
      },
      place: (file) => ({ root: to, path: isFolder ? (below(from, file) ?? "") : "" }),
    };
  });
}

/** Returns sync rules for what is copied last, after all install steps, and so can change without a rebuild. */
function inferredSync(name: string, service: UpServiceConfig, { images }: Config, root: string): SyncRule[] {
  const rules: SyncRule[] = [];
  const add = (from: string, patterns: readonly string[], to: string): void => {
    rules.push({ from, includes: testOf(root, patterns), place: (file) => ({ root: to, path: file }) });
  };
  if (service.sources !== undefined) add(`services.${name}.sources`, service.sources, service.workdir ?? "/app");
  rules.push(...mounted(name, service, root));
  const installs = (service.layers ?? []).some(({ run }) => run !== undefined);
  if (service.image === "dev" && !installs)
    add("images.dev.sources", images?.dev?.sources ?? ["**"], images?.dev?.workdir ?? "/app");
  return rules;
}

function inferredRebuild(
  name: string,
  service: UpServiceConfig,
  { images }: Config,
  named: (from: string, patterns: readonly string[]) => NamedTest,
): NamedTest[] {
  const place = `services.${name}`;
  const tests = (service.layers ?? []).flatMap(({ name: layer, files }) =>
    files === undefined ? [] : [named(`${place}.layers: ${layer}`, files)],
  );
  const { build, migrations } = service;
  if (build !== undefined) tests.push(named(`${place}.build`, [typeof build === "string" ? build : build.context]));
  if (migrations !== undefined) tests.push(named(`${place}.migrations`, [migrations.folder]));
  if (service.image === "dev" || service.image === "prod") {
    for (const { name: layer, files } of images?.dev?.layers ?? [])
      if (files !== undefined) tests.push(named(`images.dev.layers: ${layer}`, files));
    const installs = (service.layers ?? []).some(({ run }) => run !== undefined);
    if (service.image === "prod" || installs) tests.push(named("images.dev.sources", images?.dev?.sources ?? ["**"]));
  }
  return tests;
}

/**
 * A function's inputs may be anywhere in its container: any change rebuilds, except files with a sync or restart rule
 * in `up`.
 */
function inputsOfCall(
  sync: readonly SyncRule[],
  restart: readonly NamedTest[],
  inputs: readonly string[] | undefined,
): NamedTest[] {
  const others = [...sync, ...restart];
  return (inputs ?? []).map((input) => ({
    from: `an input of the function: ${input === "" ? "." : input}`,
    includes: (file) => isWithin(input, file) && !others.some((rule) => rule.includes(file)),
  }));
}
