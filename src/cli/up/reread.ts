/**
 * Handles edits of the configuration and the module while services are up: reads them again and applies the changes.
 */
import { UserError } from "../../errors/index.ts";
import { failureOf } from "../../engine/index.ts";
import {
  rulesOf,
  ServiceSource,
  type LiveUpdates,
  type Rules,
  type RunningModule,
  type Supervisor,
  type UpListener,
} from "../../services/index.ts";
import type { ModuleInfo } from "../../module/index.ts";
import type { UpProject } from "./project.ts";

export interface RereadOptions {
  project: UpProject;
  own: RunningModule;
  running: RunningModule | undefined;
  supervisor: Supervisor;
  /** Starts a function runtime for a module. */
  run(module: ModuleInfo, project: UpProject): RunningModule;
  emit: UpListener;
  signal: AbortSignal;
}

/** Reads the project again after edits, one at a time. A project that can't be read leaves the services as they are. */
export class Reread {
  private readonly options: RereadOptions;
  private project: UpProject;
  private running: RunningModule | undefined;
  private readonly touched = new Set<string>();
  private turn: Promise<void> = Promise.resolve();
  /** Last reported error. The same error is reported only once until the project can be read again. */
  private reported: string | undefined;

  constructor(options: RereadOptions) {
    this.options = options;
    this.project = options.project;
    this.running = options.running;
  }

  /** Handles edits one after another; each reads the state at that time. */
  onEdit(files: readonly string[], touched: ReadonlySet<string>, updates: LiveUpdates): void {
    for (const name of touched) this.touched.add(name);
    this.turn = this.turn.then(() => this.readNow(files, updates)).catch(this.unlessClosing);
  }

  private readonly unlessClosing = (error: unknown): void => {
    if (!this.options.signal.aborted) throw error;
  };

  async close(): Promise<void> {
    await this.running?.runtime.close();
  }

  private async readNow(files: readonly string[], updates: LiveUpdates): Promise<void> {
    const { supervisor, own, emit, signal } = this.options;
    if (signal.aborted) return;
    const startedAt = performance.now();
    let started: RunningModule | undefined;
    try {
      const project = await this.project.again((text) => emit({ kind: "notice", text }));
      const { module } = project;
      const isSame = module?.digest === this.running?.module.digest;
      const running = module === undefined ? undefined : module.root === own.module.root ? own : undefined;
      if (running === undefined && module !== undefined && !isSame) started = this.options.run(module, project);
      const next = started ?? running ?? (isSame ? this.running : undefined);
      const { services, configText } = project;
      const touched = new Set(this.touched);
      await supervisor.redescribe({ services, source: { project: next, configText }, touched, files });
      this.touched.clear();
      this.reported = undefined;
      updates.describe(rulesOfProject(project));
      const before = this.running;
      this.project = project;
      this.running = next;
      if (before !== undefined && before !== next && before !== own) await before.runtime.close();
    } catch (error) {
      await started?.runtime.close();
      const failure = failureOf(error);
      if (signal.aborted) return;
      if (!(failure instanceof UserError)) throw failure;
      const tookMs = Math.round(performance.now() - startedAt);
      const none = { added: [], changed: [], removed: [] };
      const reason = failure.format();
      if (reason !== this.reported) emit({ kind: "described", files, ...none, tookMs, reason });
      this.reported = reason;
      const { rules, sources } = rulesOfProject(this.project);
      // The file that needs the fix may be one that was not watched so far.
      updates.describe({ rules, sources: [...sources, ...(await this.project.brokenSources())] });
    }
  }
}

/** Returns the rules of all services, and the files that they were read from. */
export function rulesOfProject({ services, config, module, root, sources }: UpProject): Rules {
  const rules = services.map(
    (service) => [service.name, rulesOf(service.name, config, ServiceSource.inputsOf(service, module, root))] as const,
  );
  return { rules: new Map(rules), sources };
}
