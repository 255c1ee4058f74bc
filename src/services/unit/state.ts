/** Status of a service; reports each change of phase. */
import type { Phase, ServiceStatus, UnitOptions } from "../types.ts";

export type Described = Pick<UnitOptions, "declared" | "fronts">;

export class State {
  private readonly emit: UnitOptions["emit"];
  private now: ServiceStatus;

  constructor({ emit, ...described }: Described & Pick<UnitOptions, "emit">) {
    this.emit = emit;
    const { name } = described.declared;
    this.now = { name, ...seenOf(described), phase: "waiting", since: new Date().toISOString() };
  }

  get status(): ServiceStatus {
    return this.now;
  }

  get phase(): Phase {
    return this.now.phase;
  }

  describe(described: Described): void {
    this.now = { ...this.now, ...seenOf(described) };
  }

  uses(memoryBytes: number | undefined): void {
    const { memoryBytes: _before, ...now } = this.now;
    this.now = { ...now, ...(memoryBytes === undefined ? {} : { memoryBytes }) };
  }

  to(phase: Phase, more: Partial<Pick<ServiceStatus, "reason" | "startedInMs">> = {}): void {
    const { reason: _reason, startedInMs, ...now } = this.now;
    const kept = phase === "healthy" || phase === "unhealthy" ? { startedInMs } : {};
    this.now = { ...now, phase, since: new Date().toISOString(), ...kept, ...more };
    this.emit({ kind: "state", service: this.now });
  }
}

const seenOf = ({ declared, fronts }: Described): Pick<ServiceStatus, "needs" | "ports" | "memoryLimitBytes"> => ({
  needs: declared.needs,
  ...(declared.memoryBytes === undefined ? {} : { memoryLimitBytes: declared.memoryBytes }),
  ports:
    declared.source.kind === "local"
      ? (declared.ports ?? [])
      : fronts.filter(({ isHidden }) => isHidden !== true).map(({ host, container }) => ({ host, container })),
});
