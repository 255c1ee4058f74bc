import type { CheckKinds, Selection } from "../plan/index.ts";
import type { Ask, TrustMode } from "../trust/index.ts";
import type { HintSourceKind } from "../watch/index.ts";

/** What a run or a watch is about, and how it goes about it. */
export interface LoopOptions {
  cwd: string;
  moduleDir?: string;
  configFile?: string;
  /** The module's checks in the place of `watch.targets`. */
  checks?: CheckKinds;
  environment: NodeJS.ProcessEnv;
  /** Whose word counts for what the project asks of this machine. */
  trust?: TrustMode;
  /** Asks the user at a terminal for the word that is missing; the answer holds from now on. */
  confirmTrust?: (missing: readonly Ask[]) => Promise<boolean>;
  /** `auto`, `embedded` or `dagger`; default: fastloop.yaml's `engine.use`, else `auto`. */
  engine?: string;
  buildkitHost?: string;
  /** Where function bodies run; default `host`. */
  via?: "host" | "module";
  /** Nothing is fetched, and functions have no way to the network. */
  offline?: boolean;
  /** Write `cache.to` at the end. Not while watching: what is being edited is of no use to others. */
  writesCaches?: boolean;
  /** How the lock names this process, e.g. `fastloop watch`. */
  command: string;
  /** Only these functions, and what they need. */
  selection?: Selection;
  /** Run what is current, too. */
  force?: boolean;
  jobs?: number;
  failFast?: boolean;
  /** Edits start nothing by themselves: what they affect waits for `runParked`. */
  manual?: boolean;
  /** For functions that declare none. */
  timeoutMs?: number;
  /** For all of a single run together. */
  deadlineMs?: number;
  source?: HintSourceKind | "auto";
  quietMs?: number;
}
