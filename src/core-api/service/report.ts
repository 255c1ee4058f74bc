import { duplexPair, type Duplex } from "node:stream";
import { createInterface } from "node:readline";

/** The run of a health check that made the service unhealthy. */
export interface FailedCheck {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Health = { readonly address: string } | { readonly failed: FailedCheck };

/**
 * Receives the reports of a service's first process on a host socket; see tools/shim/health.go. A second process could
 * not probe instead: when one fails, BuildKit ends the container and loses the first one's exit code.
 */
export class ServiceReport {
  /** Resolves when the service is healthy or has become unhealthy. */
  readonly health: Promise<Health>;
  /** Exit code of the service's command; undefined when the container ended without a report. */
  readonly exitCode: Promise<number | undefined>;
  private reportHealth!: (health: Health) => void;
  private reportExit!: (exitCode: number | undefined) => void;

  constructor() {
    this.health = new Promise((resolve) => (this.reportHealth = resolve));
    this.exitCode = new Promise((resolve) => (this.reportExit = resolve));
  }

  /** Accepts the container's connection to the socket; there is one. */
  readonly open = (): Promise<Duplex> => {
    const [theirs, ours] = duplexPair();
    ours.on("error", () => undefined);
    theirs.on("close", () => this.reportExit(undefined));
    let address = "";
    createInterface({ input: ours }).on("line", (line) => {
      const message = parsed(line);
      address = message.address ?? address;
      if (message.healthy === true) this.reportHealth({ address });
      else if (message.unhealthy !== undefined) this.reportHealth({ failed: message.unhealthy });
      if (message.exit === undefined) return;
      this.reportExit(message.exit);
      ours.end("\n");
    });
    return Promise.resolve(theirs);
  };
}

interface Message {
  address?: string;
  healthy?: boolean;
  unhealthy?: FailedCheck;
  exit?: number;
}

/**
 * Parses a line. Other processes of the container can write to the socket too, so a line that is no message is ignored.
 */
function parsed(line: string): Message {
  try {
    const { address, healthy, unhealthy, exit } = JSON.parse(line) as Record<keyof Message, unknown>;
    return {
      ...(typeof address === "string" ? { address } : {}),
      ...(healthy === true ? { healthy } : {}),
      ...(isFailedCheck(unhealthy) ? { unhealthy } : {}),
      ...(typeof exit === "number" ? { exit } : {}),
    };
  } catch {
    return {};
  }
}

function isFailedCheck(value: unknown): value is FailedCheck {
  if (typeof value !== "object" || value === null) return false;
  const { exitCode, stdout, stderr } = value as Record<string, unknown>;
  return typeof exitCode === "number" && typeof stdout === "string" && typeof stderr === "string";
}
