import { createHash } from "node:crypto";
import { UserError } from "../errors/index.ts";
import { printable } from "../text/index.ts";
import type { Ask, AskKind } from "./types.ts";

const words: Record<AskKind, (what: string) => string> = {
  command: (what) => `runs the command \`${what}\``,
  variable: (what) => `reads your variable ${what}`,
  read: (what) => `reads ${what}, which is outside of the repository`,
  write: (what) => `writes to ${what}, which is not the repository's own`,
  socket: (what) => `connects to the socket ${what}`,
  service: (what) => `connects to ${what} from this machine`,
  ports: (what) => `opens ports of this machine (${what})`,
  publish: (what) => `pushes ${what} with your credentials`,
  runtime: (what) => `puts the image ${what} into your container runtime`,
  engine: (what) => `runs everything on the BuildKit daemon ${what}`,
  cache: (what) => `uses the shared cache ${what} with your credentials`,
  cluster: (what) => `deploys to the cluster ${what} with your credentials`,
  client: (what) => `asks the engine for \`${what}\` with your rights`,
  "root-capabilities": () => "runs containers with root capabilities (insecureRootCapabilities)",
  extension: (what) => `runs ${what} in fastloop's own process, with your rights`,
  module: (what) => `fetches the module ${what} and runs it behind the boundary`,
  "host-process": () => "runs function bodies on this machine without a boundary",
};

/** Describes an ask, e.g. `env --token reads your variable TOKEN`. */
export function describeAsk({ kind, what, by }: Ask): string {
  return printable(`${by} ${words[kind](what)}`);
}

/** Returns the trusted parts of an ask as one text. */
export function askKey({ kind, what, by }: Ask): string {
  return JSON.stringify([kind, what, by]);
}

/** Returns 32 hexadecimal digits that stand for exactly these asks, in any order. */
export function digestOfAsks(asks: readonly Ask[]): string {
  const keys = [...new Set(asks.map(askKey))].toSorted();
  return createHash("sha256").update(JSON.stringify(keys)).digest("hex").slice(0, 32);
}

/** Returns the error for missing trust, for terminals and CI: what is asked, where, and the command that allows it. */
export function refusal(missing: readonly Ask[]): UserError {
  const [first, ...others] = missing;
  if (first === undefined) throw new Error("nothing is missing");
  return new UserError("untrusted", `${describeAsk(first)}: this needs your trust`, {
    place: first.place,
    detail: others.map((ask) => `${ask.place === undefined ? "" : `${ask.place}: `}${describeAsk(ask)}`).join("\n"),
    hint: "see all requests with `fastloop trust --show`, and allow them with `fastloop trust`, or for one command with --trust",
  });
}
