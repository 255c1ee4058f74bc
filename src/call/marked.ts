/**
 * Functions marked with `@check`, `@generate` or `@up`: the module's own, and those of its toolchains as
 * `toolchain:function`.
 */
import { nameMatcher } from "../tree/index.ts";
import { kebabCase, type FunctionInfo, type ModuleInfo } from "../module/index.ts";
import { commandName } from "./grammar/signature.ts";

type Mark = "isCheck" | "isGenerate" | "isUp";

export interface MarkedFunction {
  /** `lint`, or `eslint:lint`. */
  name: string;
  /** The name with the module's own name in front, as `dagger check -l` prints it. */
  fullName: string;
  /** Another accepted name: for a blueprint, an engine knows both its name and the project's. */
  otherName?: string;
  /** Words for `fastloop call`. */
  words: string[];
  fn: FunctionInfo;
  module: ModuleInfo;
}

export function markedFunctions(module: ModuleInfo, mark: Mark): MarkedFunction[] {
  const own = marked(module, mark).map((fn) => {
    const name = commandName(fn);
    const [fullName = name, otherName] = ownersOf(module, mark).map((owner) => `${owner}:${name}`);
    return { name, fullName, words: [name], fn, module, ...(otherName === undefined ? {} : { otherName }) };
  });
  const others = module.toolchains.flatMap(
    ({ name: toolchain, module: of, ignoreChecks, ignoreGenerators, ignoreServices }) => {
      const left = { isCheck: ignoreChecks, isGenerate: ignoreGenerators, isUp: ignoreServices }[mark];
      return marked(of, mark).flatMap((fn) => {
        const [name, own] = [`${toolchain}:${commandName(fn)}`, commandName(fn)];
        const isLeft = left.some((pattern) => isNamedBy(pattern, own) || isNamedBy(pattern, name));
        return isLeft ? [] : [{ name, fullName: name, words: [toolchain, own], fn, module: of }];
      });
    },
  );
  return [...own, ...others];
}

/**
 * Returns the functions that the patterns name, in order of declaration; `wrong` is the first pattern without a match.
 */
export function selectMarked<F extends MarkedFunction>(
  functions: readonly F[],
  patterns: readonly string[],
): { selected: F[]; wrong?: string } {
  if (patterns.length === 0) return { selected: [...functions] };
  const isNamed = (pattern: string, { name, fullName, otherName }: MarkedFunction): boolean =>
    [name, fullName, otherName].some((each) => each !== undefined && isNamedBy(pattern, each));
  const wrong = patterns.find((pattern) => !functions.some((fn) => isNamed(pattern, fn)));
  const selected = functions.filter((fn) => patterns.some((pattern) => isNamed(pattern, fn)));
  return wrong === undefined ? { selected } : { selected, wrong };
}

/**
 * Returns the names of a module: an engine lists a blueprint's generators under the project's name, everything else
 * under the blueprint's, and accepts both.
 */
export function ownersOf({ name, usedAs }: ModuleInfo, mark: Mark = "isCheck"): string[] {
  const { name: owner, project } = usedAs ?? { name: kebabCase(name) };
  if (project === undefined) return [owner];
  return mark === "isGenerate" ? [project, owner] : [owner, project];
}

const marked = (module: ModuleInfo, mark: Mark): FunctionInfo[] =>
  Object.values(module.objects[module.mainObject]?.functions ?? {}).filter((fn) => fn[mark]);

/** Reports whether a pattern names a function: literally, with `*` and `?`, or by its toolchain's name. */
export function isNamedBy(pattern: string, name: string): boolean {
  return nameMatcher(pattern)(name) || name.startsWith(`${pattern}:`);
}
