import { duplexPair, type Duplex } from "node:stream";
import type { GatewayContainer } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import { shim } from "./plan.ts";
import type { Session } from "../session.ts";

const marks = new WeakMap<Session, Map<string, string>>();

/** A word that only the first process of that service's container has in its command line. */
export const liveMark = (session: Session, hostname: string): string | undefined => marks.get(session)?.get(hostname);

const socketPath = "/.fastloop/live.sock";

/**
 * What reaches into the container of a service that somebody works on: `shim sync`, started when it is first wanted, which
 * connects to a socket of ours; see tools/shim/sync.go. It is root, whoever the service is.
 */
export class LiveHelper {
  readonly socket: { path: string; id: string };
  private readonly control: string;
  private readonly takers: ((line: Duplex) => void)[] = [];
  private readonly lines = new Set<Duplex>();

  /** `run`: hexadecimal digits that no other run has. */
  constructor(run: string, session: Session, hostname: string) {
    marks.set(session, (marks.get(session) ?? new Map<string, string>()).set(hostname, `fastloop-${run}`));
    this.socket = { path: socketPath, id: `live-${run}` };
    this.control = `fastloop-${run}`;
  }

  /** The command line of the service's first process, told where it is asked. */
  serviceArgs([program = "", mode = "", ...rest]: readonly string[]): string[] {
    return mode === "service" ? [program, mode, "--control", this.control, ...rest] : [program, mode, ...rest];
  }

  /** What is behind the socket that the helper connects to. */
  readonly open = (): Promise<Duplex> => {
    const [theirs, ours] = duplexPair();
    ours.on("error", () => undefined);
    // A pair does not end together by itself.
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

  /** Starts a helper, and gives the line to it. */
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
