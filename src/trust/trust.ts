import { UserError } from "../errors/index.ts";
import { askKey, digestOfAsks } from "./describe.ts";
import { TrustStore } from "./store.ts";
import type { Ask } from "./types.ts";

/**
 * Whose word counts: what is stored, everything (`--trust`), nothing (`--no-trust`), or exactly the asks of a digest
 * (`FASTLOOP_TRUST=<digest>`).
 */
export type TrustMode = "stored" | "all" | "none" | { digests: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** The flag comes first, then `FASTLOOP_TRUST`, which only who starts the process can set. */
export function trustMode(flag: boolean | undefined, env: Environment): TrustMode {
  if (flag !== undefined) return flag ? "all" : "none";
  const text = (env["FASTLOOP_TRUST"] ?? "").trim();
  if (text === "") return "stored";
  if (/^(?:1|true|all)$/i.test(text)) return "all";
  if (/^(?:0|false|none)$/i.test(text)) return "none";
  const digests = text.toLowerCase().split(/[\s,]+/);
  if (digests.every((digest) => /^[0-9a-f]{32}$/.test(digest))) return { digests };
  throw new UserError("usage", "1, 0 or digests of `fastloop trust --show` were expected", { place: "FASTLOOP_TRUST" });
}

/** What a project may have of what it asks for. */
export class Trust {
  /** All that the project asks for. */
  readonly asks: readonly Ask[];
  private readonly allowed: ReadonlySet<string> | "all";

  /** `project`: its folder. Reads the user's word once. */
  constructor(project: string, asks: readonly Ask[], mode: TrustMode, env: Environment = process.env) {
    this.asks = asks;
    this.allowed = allowedBy(mode, project, asks, env);
  }

  /** The same word, the asks with more said about each. */
  with(said: (ask: Ask) => Ask): Trust {
    return Object.assign(Object.create(Trust.prototype) as Trust, this, { asks: this.asks.map(said) });
  }

  /** Whether sessions of the project may run containers with root capabilities. */
  get allowsRootCapabilities(): boolean {
    return this.allowed === "all" || this.asks.some((ask) => ask.kind === "root-capabilities" && this.allows(ask));
  }

  allows(ask: Ask): boolean {
    return this.allowed === "all" || this.allowed.has(askKey(ask));
  }

  /** Those of the asks, or of some, that the user has not allowed. */
  missing(asks: readonly Ask[] = this.asks): Ask[] {
    return asks.filter((ask) => !this.allows(ask));
  }
}

function allowedBy(mode: TrustMode, project: string, asks: readonly Ask[], env: Environment): ReadonlySet<string> | "all" {
  if (mode === "all") return "all";
  if (mode === "none" || asks.length === 0) return new Set();
  if (mode === "stored") return new Set(new TrustStore(env).read(project)?.asks.map(askKey));
  // Of a digest nothing can be read but whether it is that of everything that is asked.
  return new Set(mode.digests.includes(digestOfAsks(asks)) ? asks.map(askKey) : []);
}
