/**
 * Provides the `defaultPath` and `defaultAddress` values of functions in dependencies, as for the module's own
 * functions.
 */
import type { EngineSession } from "../engine/index.ts";
import type { FillDefaults } from "../module/index.ts";
import { resolveArguments, type ResolveContext } from "./resolve-value.ts";

export function dependencyDefaults(
  opening: EngineSession | Promise<EngineSession>,
  context: Pick<ResolveContext, "env" | "cwd" | "secretKey">,
): FillDefaults {
  return async (module, signature, query) => {
    const session = await opening;
    return resolveArguments(signature, [], {
      ...context,
      module,
      session,
      query,
      engineFillsDefaults: false,
      // No argument has a secret as its default.
      onSecret: () => undefined,
    });
  };
}
