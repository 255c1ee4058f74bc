import { hasInOrder } from "../../text/index.ts";
import type { SuiteConfig, TierName } from "../../config/types.ts";

type Scripts = Readonly<Record<string, string>>;
export type NodeManager = "npm" | "pnpm" | "yarn";

const called =
  /\b(?:npm|pnpm|yarn|bun)(?:\s+-s|\s+--silent)?\s+(?:run(?:-script)?\s+)?(?:["']?\/\^([A-Za-z][\w:.-]*)\*?\$?\/["']?|([A-Za-z][\w:.-]*))|\b(?:npm-run-all|run-s|run-p|concurrently)\s+([^&|;]+)/g;
const notScripts = new Set(["run", "install", "ci", "exec", "dlx", "workspace", "workspaces", "test"]);

/** Returns the names of a script and all scripts that it calls. */
export function reachedFrom(scripts: Scripts, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name) || scripts[name] === undefined) return seen;
  seen.add(name);
  for (const [, pattern, one, several] of scripts[name].matchAll(called)) {
    for (const word of [
      // pnpm runs all scripts that match, such as `/^test:.*/`.
      ...(pattern === undefined ? [] : [`${pattern.replace(/\.$/, "")}*`]),
      ...(one === undefined || (notScripts.has(one) && one !== "test") ? [] : [one]),
      ...(several ?? "").split(/[\s"']+/),
    ]) {
      for (const script of Object.keys(scripts))
        if (script === word || (word.endsWith("*") && script.startsWith(word.slice(0, -1))))
          reachedFrom(scripts, script, seen);
    }
  }
  for (const hook of [`pre${name}`, `post${name}`]) reachedFrom(scripts, hook, seen);
  return seen;
}

/** Returns the text of a script and all scripts that it calls. */
export const wholeText = (scripts: Scripts, name: string): string =>
  [...reachedFrom(scripts, name)].map((script) => scripts[script]).join("\n");

const isNoTest = (script: string): boolean =>
  /no test specified|^(?:exit 0|true|:|echo\b[^&|;]*)$/i.test(script.trim());
const commandsOf = (text: string): string[] => text.split(/[&|;\n]/);
/** `-w` of a package manager selects a workspace instead of watching. */
const withoutWorkspaceFlags = (command: string): string => {
  const at = command.search(/\b(?:npm|pnpm|yarn)\b/);
  return at < 0 ? command : command.slice(0, at) + command.slice(at).replaceAll(/\s-w\b/g, "");
};
const watches = (text: string): boolean => {
  const own = commandsOf(text).map(withoutWorkspaceFlags).join(";");
  return /(?:^|\s)(?:--watch(?:All)?(?!=false)|-w|watch)(?:\s|$)/.test(own) && !/--watch(?:All)?=false/.test(own);
};
const delegates = /\b(?:turbo|nx|lerna|wireit|moon|lage|rush)\b|(?:--workspaces|\s-ws)\b|\byarn workspaces\b/;

/** Reports whether a script only delegates to the workspace's packages. */
export const isDelegating = (scripts: Scripts, name: string): boolean => {
  const text = wholeText(scripts, name);
  return delegates.test(text) || hasInOrder(commandsOf(text), /\b(?:pnpm|bun)\b/, /\s(?:-r|--recursive|-F|--filter)\b/);
};

/** Returns the browser driver that a script uses, if any. */
export const browserOf = (text: string): string | undefined =>
  /\b(playwright|cypress|puppeteer|karma|wdio|testcafe|web-test-runner|wtr)\b/.exec(text)?.[1];

/** Returns a test script that would be chosen but never ends. */
export const watchingTest = (scripts: Scripts): string | undefined =>
  testScripts.find((script) => scripts[script] !== undefined && watches(scripts[script]));

const testScripts = ["test", "test:ci", "test:run", "test:unit", "unit", "tests"];

/** Returns the commands of each tier from existing scripts; a script that another one runs is not repeated. */
export function nodeTiers(scripts: Scripts, manager: NodeManager): Partial<Record<TierName, string[]>> {
  const run = (script: string): string[] => [`${manager} run ${script}`];
  const usable = (script: string): boolean =>
    scripts[script] !== undefined && !isNoTest(scripts[script]) && !watches(scripts[script]);
  const own = (["smoke", "fast", "full"] as const).filter((tier) => usable(`test:${tier}`));
  if (own.length > 0) return Object.fromEntries(own.map((tier) => [tier, run(`test:${tier}`)]));
  const fast = testScripts.find((script) => usable(script) && browserOf(wholeText(scripts, script)) === undefined);
  const done = fast === undefined ? new Set<string>() : reachedFrom(scripts, fast);
  const first = (names: string[]): string | undefined => names.find((script) => usable(script) && !done.has(script));
  const smoke = first(["typecheck", "type-check", "check-types", "types", "tsc", "lint"]);
  if (smoke !== undefined) for (const script of reachedFrom(scripts, smoke)) done.add(script);
  const full = first(["test:integration", "test:all", "build"]);
  const tiers: Partial<Record<TierName, string[]>> = {};
  if (smoke !== undefined) tiers.smoke = run(smoke);
  if (fast !== undefined) tiers.fast = withoutFormatters(scripts, fast, run);
  if (full !== undefined) tiers.full = run(full);
  return tiers;
}

const step = /^(?:npm|pnpm|yarn)\s+(?:run(?:-script)?\s+)?([A-Za-z][\w:.-]*)$/;
const rewrites = /\s(?:--fix|--write|--output)\b(?!-)/;

/**
 * Returns scripts that a test script calls in sequence and that rewrite sources, which is useless in a container's
 * copy.
 */
export function formattersIn(scripts: Scripts, test: string): string[] {
  const parts = (scripts[test] ?? "").split("&&").map((part) => step.exec(part.trim())?.[1]);
  if (parts.length < 2 || parts.some((part) => part === undefined || scripts[part] === undefined)) return [];
  if (scripts[`pre${test}`] !== undefined || scripts[`post${test}`] !== undefined) return [];
  const found = parts.filter((part) => /^(?:format|fmt|fix|prettier)\b/.test(part!) && rewrites.test(scripts[part!]!));
  return found.length === parts.length ? [] : (found as string[]);
}

/** Returns the test script, or the scripts in its sequence without formatters. */
function withoutFormatters(scripts: Scripts, test: string, run: (script: string) => string[]): string[] {
  const formatters = formattersIn(scripts, test);
  if (formatters.length === 0) return run(test);
  const parts = scripts[test]!.split("&&").map((part) => step.exec(part.trim())![1]!);
  return parts.filter((part) => !formatters.includes(part)).flatMap(run);
}

/** Returns the test runner that a script starts, if fastloop can pass it files and shards. */
export function nodeRunner(text: string): SuiteConfig["runner"] {
  if (/\bvitest\b/.test(text)) return "vitest";
  if (/\bjest\b/.test(text)) return "jest";
  return hasInOrder(text.split("\n"), /\bnode\b/, /--test\b/) ? "node" : undefined;
}

const harmless =
  /^(?:npx\s+)?(?:husky|is-ci|simple-git-hooks|lefthook|only-allow|ts-patch|opencollective|true|exit 0|echo)(?:\s|$)|^$/;

/**
 * Returns scripts that npm runs during an install and that need the sources; git hooks, which a container lacks, do not
 * count.
 */
export function lifecycleScripts(scripts: Scripts): string[] {
  const parts = (name: string): string[] => (scripts[name] ?? "").split(/&&|\|\||;/).map((part) => part.trim());
  return ["preinstall", "install", "postinstall", "prepare"].filter((name) =>
    parts(name).some((part) => !harmless.test(part)),
  );
}

/** Reports whether npm runs any of the package's own scripts during an install. */
export const hasLifecycle = (scripts: Scripts): boolean =>
  ["preinstall", "install", "postinstall", "prepare"].some((name) => scripts[name] !== undefined);
