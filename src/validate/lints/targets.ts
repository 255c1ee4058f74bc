import path from "node:path";
import { isInside, leadsOut } from "../../paths/index.ts";
import type { LoadedConfig } from "../../config/index.ts";
import { PathTest } from "../../tree/index.ts";
import type { ResolvedTarget } from "../../plan/index.ts";
import type { Found } from "../finding.ts";

const of = (name: string, key: string): string[] => ["watch", "targets", name, key];

type Sent = ResolvedTarget["sent"][number];

/** Reports entries of `inputs` outside of everything that the call is given. */
export function unreadInputs(targets: readonly ResolvedTarget[], { root }: LoadedConfig): Found[] {
  return targets.flatMap(({ target, sent }) => {
    const { name, inputs = [] } = target;
    // Calls without trees read other things, such as `env`, a git reference or a container.
    if (sent.length === 0) return [];
    const tests = new Map<Sent, PathTest>();
    const testOf = (input: Sent): PathTest => {
      const test = tests.get(input) ?? new PathTest(input.path, input.filter);
      tests.set(input, test);
      return test;
    };
    return inputs.flatMap((pattern): Found[] => {
      if (pattern.startsWith("!")) return [];
      // Most entries are what the call is given, as it is written.
      if (sent.some((input) => input.path === `${root}/${pattern.replace(/\/$/, "")}`)) return [];
      const head = path.resolve(root, literalFolder(pattern));
      if (sent.some((input) => isReached(head, input, testOf))) return [];
      const message = `watch.targets.${name}: no function of the call reads ${JSON.stringify(pattern)}`;
      return [
        {
          code: "unread-input",
          path: of(name, "inputs"),
          word: pattern,
          message,
          hint: "remove it, or pass that folder to the call",
        },
      ];
    });
  });
}

/** Returns the part of a pattern before its first wildcard. */
function literalFolder(pattern: string): string {
  const segments = pattern.replace(/(?<!\/)\/+$/, "").split("/");
  const wild = segments.findIndex((segment) => /[*?[\]{}]/.test(segment));
  return (wild < 0 ? segments : segments.slice(0, wild)).join("/") || ".";
}

function isReached(head: string, input: Sent, testOf: (input: Sent) => PathTest): boolean {
  const { kind, path: at } = input;
  const below = path.relative(at, head);
  if (below === "") return true;
  if (!leadsOut(below)) {
    if (kind === "file") return false;
    const test = testOf(input);
    return test.selects(below) || test.mayHold(below);
  }
  return isInside(head, at);
}

/** Reports targets that export to the same place, or one into the other's. */
export function sharedOutputs(targets: readonly ResolvedTarget[], { root }: LoadedConfig): Found[] {
  const outputs = targets.flatMap(({ target, call }) =>
    call.core.flatMap(({ fn, given }) => {
      const value = fn.name === "export" ? given.find(({ argument }) => argument.name === "path")?.value : undefined;
      return value?.kind === "literal" ? [{ name: target.name, at: path.resolve(root, String(value.value)) }] : [];
    }),
  );
  // After sorting, the contents of a folder follow it.
  outputs.sort((a, b) => (`${a.at}/` < `${b.at}/` ? -1 : 1));
  const found: Found[] = [];
  let outer: (typeof outputs)[number] | undefined;
  for (const output of outputs) {
    if (outer !== undefined && isInside(outer.at, output.at)) {
      const [one, other] = [outer, output].map(({ at }) => path.relative(root, at) || ".");
      const where = one === other ? `both write ${one}` : `write ${one} and ${other}`;
      found.push({
        code: "shared-output",
        path: of(output.name, "call"),
        word: "export",
        message: `watch.targets.${output.name}: it and ${outer.name} ${where}: which result is there depends on which ended last`,
        hint: "give each its own folder",
      });
    } else outer = output;
  }
  return found;
}

const effects = /^(?:publish|deploy|release|push|promote|upload|rollback|notify)(?![a-z])/;

/** Reports cache policies that probably do not suit the function. */
export function cachePolicies(targets: readonly ResolvedTarget[]): Found[] {
  return targets.flatMap(({ target, call }): Found[] => {
    const last = call.own.findLast((step) => step.kind === "function");
    if (last === undefined || last.fn.name === "") return [];
    const { name, cache, place } = last.fn;
    const path = of(target.name, "call");
    if (effects.test(name) && cache !== "never" && cache !== "session")
      return [
        {
          code: "cached-effect",
          path,
          message: `watch.targets.${target.name}: ${name} (${place}) may be answered out of the cache for ${cache ?? "7 days"}`,
          hint: '@func({ cache: "never" })',
        },
      ];
    if (cache !== "never" || effects.test(name)) return [];
    return [
      {
        code: "never-cached",
        path,
        message: `watch.targets.${target.name}: ${name} (${place}) is never cached, and does all its work at each run`,
        hint: "leave the policy out: its inputs decide",
      },
    ];
  });
}
