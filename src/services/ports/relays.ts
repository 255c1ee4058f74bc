/** Forwards from dependents to a service that may be a host process. */
import { UserError } from "../../errors/index.ts";
import type { EngineSession } from "../../engine/index.ts";
import { hostService } from "../sources/engine-service.ts";
import type { MadeService } from "../sources/source.ts";
import type { DeclaredService, ForwardedPort } from "../types.ts";
import { Front } from "./front.ts";

/**
 * Dependents of such a service are bound to ports of this process, which forward to wherever the service runs. So no
 * container has to be recreated when the service moves.
 */
export class Relays {
  private readonly session: EngineSession;
  private readonly ports = new Map<string, ForwardedPort[]>();

  constructor(session: EngineSession) {
    this.session = session;
  }

  /**
   * Returns the service with `boundId` set for its dependents; unchanged when the service can only run in its
   * container. Throws when it exposes no port.
   */
  async bind({ name, standIn }: DeclaredService, made: MadeService, signal: AbortSignal): Promise<MadeService> {
    if (standIn === undefined) return made;
    if (made.ports.length === 0)
      throw new UserError("usage", `\`${name}\` exposes no port for a process to use`, { place: "--local" });
    const led = this.ports.get(name) ?? [];
    this.ports.set(name, led);
    for (const container of made.ports) {
      if (led.some((port) => port.container === container)) continue;
      const front = await Front.open(0, ["127.0.0.1"]);
      led.push({ host: front.port, container, front, isHidden: true });
    }
    const own = led.filter(({ container }) => made.ports.includes(container));
    return { ...made, boundId: await hostService(this.session, own, signal) };
  }

  of(name: string): readonly ForwardedPort[] {
    return this.ports.get(name) ?? [];
  }

  close(): void {
    for (const led of this.ports.values()) for (const { front } of led) front.close();
  }
}
