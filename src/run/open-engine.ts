import { rootCapabilitiesOfUser } from "../config/index.ts";
import type { Project } from "../plan/index.ts";
import { engineOptionsOf, hostProcessAsk, trustedCacheOf } from "../trust/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import type { Audience } from "./audience.ts";
import { keyEnd } from "../engine/index.ts";
import { EngineHolder } from "./engine-holder.ts";
import type { LoopOptions } from "./loop-options.ts";

/** The engine that the command line asks for, else the configuration. */
export function openEngine(
  { config, root, module, state, trust }: Project,
  options: LoopOptions,
  hasher: ContentHasher,
  audience: Audience,
): EngineHolder {
  const cache = trustedCacheOf(config.config, trust, (text) => audience.tell({ kind: "notice", text }));
  return new EngineHolder({
    workdir: root,
    ...engineOptionsOf(config.config, trust, options, options.environment, (text) =>
      audience.tell({ kind: "notice", text }),
    ),
    offline: options.offline,
    via: options.via ?? "host",
    module: { name: module.name, sourceDir: module.sourceDir },
    cache: cache === undefined || options.writesCaches === true ? cache : { ...cache, to: [] },
    rootCapabilities: async () => trust.allowsRootCapabilities || (await rootCapabilitiesOfUser(options.environment)),
    mayRunOnHost: () => trust.allows(hostProcessAsk(module.name)),
    environment: options.environment,
    secretKey: state.hashKey,
    hasher,
    onNotice: (text) => audience.tell({ kind: "notice", text }),
    onEngine: (engine) => audience.tell({ kind: "engine", engine }),
  });
}

/**
 * The engine that a plan takes for granted without asking any: the one that ran last; "" where that cannot be the one that
 * is asked for, so that nothing counts as current before that one was looked at.
 */
export function assumedEngine(
  last: string | undefined,
  { config, trust }: Pick<Project, "config" | "trust">,
  options: Pick<LoopOptions, "engine" | "buildkitHost" | "environment" | "via">,
): string {
  // Without the bodies' way at the end, `host`.
  if (last?.endsWith(keyEnd(options.via)) !== true || last.includes(", bodies by ") !== (options.via === "module"))
    return "";
  const { engine, buildkitHost } = engineOptionsOf(config.config, trust, options, options.environment, () => undefined);
  const isKind = engine === "auto" || last.startsWith(engine);
  return isKind && (buildkitHost === undefined || last.includes(buildkitHost)) ? last : "";
}
