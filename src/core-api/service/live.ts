import { duplexPair, type Duplex } from "node:stream";
import type { GatewayContainer } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import { shim } from "./plan.ts";
import type { Session } from "../session.ts";

const marks = new WeakMap<Session, Map<string, string>>();

/** Returns the word that only the first process of this service's container has in its command line. */
export const liveMark = (session: Session, hostname: string): string | undefined => marks.get(session)?.get(hostname);

const socketPath = "/.fastloop/live.sock";

/**
 * Access to the container of a service that somebody works on. `shim sync` starts on first use and connects to a host
 * socket; see tools/shim/sync.go. It runs as root, whatever the service's user is.
 */
export class LiveHelper {
  readonly socket: { path: string; id: string };
  private readonly control: string;
  private readonly takers: ((line: Duplex) => void)[] = [];
  private readonly lines = new Set<Duplex>();

  /** `run` is hexadecimal digits that identify this run. */
  constructor(run: string, session: Session, hostname: string) {
    marks.set(session, (marks.get(session) ?? new Map<string, string>()).set(hostname, `fastloop-${run}`));
    this.socket = { path: socketPath, id: `live-${run}` };
    this.control = `fastloop-${run}`;
  }

  /** Returns the command line of the service's first process with the control word added. */
  serviceArgs([program = "", mode = "", ...rest]: readonly string[]): string[] {
    return mode === "service" ? [program, mode, "--control", this.control, ...rest] : [program, mode, ...rest];
  }

  /** Accepts a connection that the helper opens to the socket. */
  readonly open = (): Promise<Duplex> => {
    const [theirs, ours] = duplexPair();
    ours.on("error", () => undefined);
    // The two ends of a pair do not close together by themselves.
    theirs.on("close", () => ours.destroy());
    ours.on("close", () => theirs.destroy());
    const taker = this.takers.shift();
    if (taker === undefined) ours.destroy();
    else {
      this.lines.add(ours);
      ours.once("close", () => this.lines.delete(ours));
      taker(ours);
    }
    return Promise.resolve(theirs);
  };

  /** Starts a helper and returns its connection. Rejects when the helper exits first. */
  async connect(container: GatewayContainer): Promise<Duplex> {
    const taken = new Promise<Duplex>((resolve) => this.takers.push(resolve));
    const helper = container.start({ args: [shim, "sync", "--control", this.control, socketPath], user: "0:0" });
    const ended = helper.ended.then((): Promise<Duplex> => {
      throw new ApiError("the helper in the service's container ended");
    });
    ended.catch(() => undefined);
    return await Promise.race([taken, ended]);
  }

  close(): void {
    for (const line of this.lines) line.destroy();
  }
}
