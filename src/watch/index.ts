/** Turns file events into settled moments to scan. Hints say when and where; scan and hash decide what changed. */
export { systemClock, type Clock } from "./clock.ts";
export { folderSource } from "./folder-source.ts";
export { GitGuard, type GitActivity } from "./git-guard.ts";
export type { HintListener, HintSource, HintSourceKind, WatchedFolder } from "./hints.ts";
export { pollingSource } from "./polling-source.ts";
export { recursiveSource } from "./recursive-source.ts";
export { decide, defaultSettleRules, hinted, idle, type SettleRules, type SettleState } from "./settle.ts";
export type { SettledHints } from "./pending-hints.ts";
export { Watcher, type WatcherOptions } from "./watcher.ts";
