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
  private readonly project: string;
  private readonly mode: TrustMode;
  private readonly env: Environment;
  private stored: ReadonlySet<string> | undefined;

  /** `project`: its folder. The user's word is read when it is first asked for, and once. */
  constructor(project: string, asks: readonly Ask[], mode: TrustMode, env: Environment = process.env) {
    this.project = project;
    this.asks = asks;
    this.mode = mode;
    this.env = env;
  }

  /** The same word, the asks with more said about each. */
  with(said: (ask: Ask) => Ask): Trust {
    return Object.assign(Object.create(Trust.prototype) as Trust, this, { asks: this.asks.map(said) });
  }

  /** Whether sessions of the project may run containers with root capabilities. */
  get allowsRootCapabilities(): boolean {
    return this.mode === "all" || this.asks.some((ask) => ask.kind === "root-capabilities" && this.allows(ask));
  }

  allows(ask: Ask): boolean {
    const { mode } = this;
    if (mode === "all" || mode === "none") return mode === "all";
    if (mode === "stored") return this.words().has(askKey(ask));
    // Of a digest nothing can be read but whether it is that of everything that is asked, or of this alone.
    return (
      mode.digests.includes(digestOfAsks([ask])) ||
      (this.words().has(askKey(ask)) && mode.digests.includes(digestOfAsks(this.asks)))
    );
  }

  /** Those of the asks, or of some, that the user has not allowed. */
  missing(asks: readonly Ask[] = this.asks): Ask[] {
    return asks.filter((ask) => !this.allows(ask));
  }

  private words(): ReadonlySet<string> {
    this.stored ??= new Set(
      (this.mode === "stored" ? (new TrustStore(this.env).read(this.project)?.asks ?? []) : this.asks).map(askKey),
    );
    return this.stored;
  }
}
