/** What a service is doing, as others are told of it. */
import type { Phase, ServiceStatus, UnitOptions } from "../types.ts";

export type Described = Pick<UnitOptions, "declared" | "fronts">;

export class State {
  private readonly tell: UnitOptions["tell"];
  private now: ServiceStatus;

  constructor({ tell, ...described }: Described & Pick<UnitOptions, "tell">) {
    this.tell = tell;
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

  to(phase: Phase, more: Partial<Pick<ServiceStatus, "reason" | "startedInMs">> = {}): void {
    const { name, needs, ports, startedInMs } = this.now;
    const kept = phase === "healthy" || phase === "unhealthy" ? { startedInMs } : {};
    this.now = { name, needs, ports, phase, since: new Date().toISOString(), ...kept, ...more };
    this.tell({ kind: "state", service: this.now });
  }
}

const seenOf = ({ declared, fronts }: Described): Pick<ServiceStatus, "needs" | "ports"> => ({
  needs: declared.needs,
  ports: fronts.map(({ host, container }) => ({ host, container })),
});
