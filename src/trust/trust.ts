import { UserError } from "../errors/index.ts";
import { askKey, digestOfAsks } from "./describe.ts";
import { TrustStore } from "./store.ts";
import type { Ask } from "./types.ts";

/**
 * Whose consent counts: the stored one, for everything (`--trust`), for nothing (`--no-trust`), or for exactly the asks
 * of a digest (`FASTLOOP_TRUST=<digest>`).
 */
export type TrustMode = "stored" | "all" | "none" | { digests: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the mode: the flag takes precedence over `FASTLOOP_TRUST`, which only whoever starts the process can set.
 * Throws a `UserError` for an invalid value.
 */
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

/** Decides which of its asks a project is granted. */
export class Trust {
  /** All asks of the project. */
  readonly asks: readonly Ask[];
  private readonly project: string;
  private readonly mode: TrustMode;
  private readonly env: Environment;
  private stored: ReadonlySet<string> | undefined;

  /** `project` is its folder. The stored consent is read once, when first needed. */
  constructor(project: string, asks: readonly Ask[], mode: TrustMode, env: Environment = process.env) {
    this.project = project;
    this.asks = asks;
    this.mode = mode;
    this.env = env;
  }

  /** Returns a copy with the same consent, and more information about each ask. */
  with(said: (ask: Ask) => Ask): Trust {
    return Object.assign(Object.create(Trust.prototype) as Trust, this, { asks: this.asks.map(said) });
  }

  /** Reports whether the project's sessions may run containers with root capabilities. */
  get allowsRootCapabilities(): boolean {
    return this.mode === "all" || this.asks.some((ask) => ask.kind === "root-capabilities" && this.allows(ask));
  }

  allows(ask: Ask): boolean {
    const { mode } = this;
    if (mode === "all" || mode === "none") return mode === "all";
    if (mode === "stored") return this.words().has(askKey(ask));
    // A digest only shows whether it stands for all asks of the project, or for this one alone.
    return (
      mode.digests.includes(digestOfAsks([ask])) ||
      (this.words().has(askKey(ask)) && mode.digests.includes(digestOfAsks(this.asks)))
    );
  }

  /** Returns the asks, all or those given, that the user has not allowed. */
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
