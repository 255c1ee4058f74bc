import { duplexPair, type Duplex } from "node:stream";
import { createInterface } from "node:readline";

/** A health check that failed once too often. */
export interface FailedCheck {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Health = { readonly address: string } | { readonly failed: FailedCheck };

/**
 * What the first process of a service says of it, on a socket of ours; see tools/shim/health.go. A process beside it could
 * not look: when one fails, BuildKit ends the container and loses the exit code of the first.
 */
export class ServiceReport {
  /** Resolves when the service is healthy, or never will be. */
  readonly health: Promise<Health>;
  /** The exit code of the service's command; undefined when the container went without a word. */
  readonly exitCode: Promise<number | undefined>;
  private tellHealth!: (health: Health) => void;
  private tellExit!: (exitCode: number | undefined) => void;

  constructor() {
    this.health = new Promise((resolve) => (this.tellHealth = resolve));
    this.exitCode = new Promise((resolve) => (this.tellExit = resolve));
  }

  /** What is behind the socket that the container connects to, once. */
  readonly open = (): Promise<Duplex> => {
    const [theirs, ours] = duplexPair();
    ours.on("error", () => undefined);
    theirs.on("close", () => this.tellExit(undefined));
    let address = "";
    createInterface({ input: ours }).on("line", (line) => {
      const message = parsed(line);
      address = message.address ?? address;
      if (message.healthy === true) this.tellHealth({ address });
      else if (message.unhealthy !== undefined) this.tellHealth({ failed: message.unhealthy });
      if (message.exit === undefined) return;
      this.tellExit(message.exit);
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

/** Other processes of the container may write to the socket as well: what is no message says nothing. */
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
