import type { ParsedCall } from "../../call/index.ts";
import type { LoadedConfig } from "../../config/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import { placeProject } from "../../plan/index.ts";
import { ProjectSession } from "../../session/index.ts";
import type { Trust } from "../../trust/index.ts";
import type { CliContext } from "../context.ts";
import { asksForRootCapabilities } from "../trust/trust.ts";
import type { CallView } from "./call-view.ts";

/** Creates the session that a call runs in; opens nothing yet. */
export function callSession(
  call: ParsedCall,
  module: ModuleInfo,
  context: CliContext,
  { config, trust }: { config: LoadedConfig; trust: Trust },
  view: CallView,
): ProjectSession {
  const { state } = placeProject({ cwd: context.cwd, configFile: call.config });
  const { options } = context;
  return new ProjectSession({
    workdir: context.cwd,
    config,
    trust,
    named: { engine: call.engine ?? options.engine, buildkitHost: call.buildkitHost ?? options.buildkitHost },
    environment: context.env,
    secretKey: state.hashKey,
    via: call.via === "module" ? "module" : "host",
    module: { name: module.name, sourceDir: module.sourceDir },
    offline: call.offline,
    writesCaches: true,
    rootCapabilities: asksForRootCapabilities(call),
    // Reading the context's signal installs signal handlers, so it is read only when needed.
    get signal() {
      return context.signal;
    },
    onNotice: view.notice,
    onOpen: (opened) => view.follow(opened),
    ...(view.terminal === undefined ? {} : { onTerminal: (remote) => view.lend(remote) }),
  });
}
