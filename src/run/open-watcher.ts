import { durationMs } from "../config/index.ts";
import { Watcher, type WatcherOptions } from "../watch/index.ts";
import type { LoopOptions } from "./loop-options.ts";
import type { Planning } from "./planning.ts";
import { UnreadSaves } from "./advice/unread-saves.ts";

/** Returns how long files must rest, in milliseconds: the command line's value, else the configuration's, else 50. */
export function quietMsOf(options: LoopOptions, { project }: Planning): number {
  const { debounce } = project?.config.config.watch ?? {};
  return options.quietMs ?? (debounce === undefined ? 50 : durationMs(debounce));
}

/**
 * Opens the watcher of a project's files. A file saved while functions run may be their own output, so only saves at
 * rest count as unread ones.
 */
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
