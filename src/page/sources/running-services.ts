/** Adds services that another command of the project has up to the functions of a watch. */
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors/index.ts";
import type { ServiceStatus } from "../../services/index.ts";
import { printableLines } from "../../text/index.ts";
import { endOf } from "../source.ts";
import type { NodeDetails, PageNode } from "../types.ts";
import { serviceNode } from "./service-node.ts";

/** What the page needs of these services. */
export interface RunningServicesSource {
  /** Current statuses; empty when nothing is up. */
  statuses(): Promise<readonly ServiceStatus[]>;
  restart(names: readonly string[]): Promise<unknown>;
}

const lookMs = 2_000;
/** Distinguishes services from functions of the same name. */
const prefix = "service ";

/** Polls the services every two seconds, and calls `onChange` when a status changed. */
export class RunningServices {
  private readonly services: RunningServicesSource | undefined;
  private readonly onChange: () => void;
  /** Undefined before the first poll. */
  private seen: readonly ServiceStatus[] | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(services: RunningServicesSource | undefined, onChange: () => void) {
    this.services = services;
    this.onChange = onChange;
    void this.look();
  }

  nodes(): PageNode[] {
    return this.known.map((status) => {
      const { id, can: _can, needs, ...node } = serviceNode(status);
      return { ...node, id: prefix + id, needs: needs.map((need) => prefix + need), can: ["restart"] };
    });
  }

  details(id: string): NodeDetails | undefined {
    const status = this.known.find(({ name }) => prefix + name === id);
    if (status === undefined) return undefined;
    const summary = `${status.phase}; its log is with \`fastloop up\` and \`fastloop logs\``;
    const causes = status.reason === undefined ? [] : [printableLines(endOf(status.reason))];
    return { runs: [], spans: [], why: { summary, causes, parts: [] } };
  }

  /** Restarts services; resolves when they have started again. Throws at once when an id is no service. */
  restart(ids: readonly string[]): Promise<unknown> {
    const names = this.known.map(({ name }) => name).filter((name) => ids.includes(prefix + name));
    if (names.length === 0 || names.length < ids.length)
      throw new UserError("usage", "functions run; services restart");
    return this.services!.restart(names);
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  private get known(): readonly ServiceStatus[] {
    return this.seen ?? [];
  }

  private async look(): Promise<void> {
    if (this.services === undefined) return;
    const now = await this.services.statuses().catch(() => []);
    if (this.isOver) return;
    // Mostly nothing is up, or nothing has changed: then the page is not built again.
    if (!isDeepStrictEqual(now, this.seen)) {
      this.seen = now;
      this.onChange();
    }
    this.timer = setTimeout(() => void this.look(), lookMs).unref();
  }
}
