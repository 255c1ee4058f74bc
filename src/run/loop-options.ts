import type { CheckKinds, Past, Selection } from "../plan/index.ts";
import type { Ask, TrustMode } from "../trust/index.ts";
import type { HintSourceKind } from "../watch/index.ts";

/** What a run or a watch covers, and how it runs. */
export interface LoopOptions {
  cwd: string;
  moduleDir?: string;
  configFile?: string;
  /** Runs the module's checks instead of `watch.targets`. */
  checks?: CheckKinds;
  environment: NodeJS.ProcessEnv;
  /** Whose consent counts for what the project asks of the host. */
  trust?: TrustMode;
  /** Asks the user at a terminal for missing consent; the answer holds from then on. */
  confirmTrust?: (missing: readonly Ask[]) => Promise<boolean>;
  /** `auto`, `embedded` or `dagger`; default: fastloop.yaml's `engine.use`, else `auto`. */
  engine?: string;
  buildkitHost?: string;
  /** Where function bodies run; default `host`. */
  via?: "host" | "module";
  /** Fetch nothing, and give functions no network access. */
  offline?: boolean;
  /** Write `cache.to` at the end. Off while watching: intermediate states of an edit are of no use to others. */
  writesCaches?: boolean;
  /** How the lock names this process, e.g. `fastloop watch`. */
  command: string;
  /** Only these targets, and what they need. */
  selection?: Selection;
  /** The check of the last scan, if it has been started; for a single run. */
  past?: Past;
  /** Also run what is up to date. */
  force?: boolean;
  jobs?: number;
  failFast?: boolean;
  /** Edits start nothing by themselves: the functions that they affect wait for `runParked`. */
  manual?: boolean;
  /** Timeout of functions that declare none. */
  timeoutMs?: number;
  /** Time limit of a single run as a whole. */
  deadlineMs?: number;
  source?: HintSourceKind | "auto";
  quietMs?: number;
}
