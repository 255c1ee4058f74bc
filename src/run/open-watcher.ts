import { durationMs } from "../config/index.ts";
import { Watcher, type WatcherOptions } from "../watch/index.ts";
import type { LoopOptions } from "./loop-options.ts";
import type { Planning } from "./planning.ts";
import { UnreadSaves } from "./advice/unread-saves.ts";

/** How long files must rest, in milliseconds: as the command line says, else the configuration. */
export function quietMsOf(options: LoopOptions, { project }: Planning): number {
  const { debounce } = project?.config.config.watch ?? {};
  return options.quietMs ?? (debounce === undefined ? 50 : durationMs(debounce));
}

/** The watcher of a project's files. What is written while functions run may be their own output. */
export function openWatcher(
  options: LoopOptions,
  planning: Planning,
  listener: Pick<WatcherOptions, "root" | "state" | "onUnsettled" | "onSettled" | "onNotice"> & {
    functionsRest: () => boolean;
  },
): Watcher {
  const { watch } = planning.project?.config.config ?? {};
  const unread = new UnreadSaves(listener.onNotice);
  return new Watcher({
    ...listener,
    concerns: (file) => planning.reader.concerns(file),
    onForeign: (file) => {
      const { project, snapshot } = planning;
      if (project !== undefined && snapshot !== undefined && listener.functionsRest())
        unread.saw(file, project, snapshot);
    },
    fingerprint: () => planning.reader.scan().statDigest(),
    rules: { quietMs: quietMsOf(options, planning) },
    source: options.source ?? (watch?.poll === true ? "polling" : "auto"),
    pollIntervalMs: watch?.pollInterval === undefined ? undefined : durationMs(watch.pollInterval),
  });
}
