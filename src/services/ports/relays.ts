/** What stands between a service that may be a process of this machine and those who need it. */
import { UserError } from "../../errors/index.ts";
import type { EngineSession } from "../../engine/index.ts";
import { hostService } from "../sources/engine-service.ts";
import type { MadeService } from "../sources/source.ts";
import type { DeclaredService, LedPort } from "../types.ts";
import { Front } from "./front.ts";

/**
 * Who needs such a service is bound to ports of this process, which lead to wherever it is: where that is another place,
 * no container is another.
 */
export class Relays {
  private readonly session: EngineSession;
  private readonly ports = new Map<string, LedPort[]>();

  constructor(session: EngineSession) {
    this.session = session;
  }

  /** The service with what others are bound to; the same where it has one place only. */
  async bind({ name, standIn }: DeclaredService, made: MadeService, signal: AbortSignal): Promise<MadeService> {
    if (standIn === undefined) return made;
    if (made.ports.length === 0)
      throw new UserError("usage", `\`${name}\` exposes no port that a process could take over`, { place: "--local" });
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

  of(name: string): readonly LedPort[] {
    return this.ports.get(name) ?? [];
  }

  close(): void {
    for (const led of this.ports.values()) for (const { front } of led) front.close();
  }
}
