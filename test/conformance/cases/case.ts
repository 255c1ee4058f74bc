import type { Client } from "@dagger.io/dagger";

/** What a case may use. */
export interface CaseContext {
  dag: Client;
  /** Sends one raw GraphQL request and gives its whole answer. */
  query(document: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer>;
  /** The session's working directory; every case gets an empty folder of its own in it. */
  folder: string;
  /** Path of `folder` relative to the session's working directory. */
  relativeFolder: string;
  /** A word that no other run has used: nothing that depends on it can be cached. */
  unique: string;
  /** `host:port` of an image registry that the engine can push to, where there is one. */
  registry: string | undefined;
}

export interface GraphqlAnswer {
  /** Of HTTP. */
  status: number;
  data?: unknown;
  errors?: { message: string; path?: unknown[]; extensions?: Record<string, unknown> }[];
}

/** One small pipeline and what every engine has to answer. */
export interface ConformanceCase {
  /** A sentence about what holds. */
  name: string;
  run(context: CaseContext): Promise<unknown>;
  /** What `run` returns. */
  expected?: unknown;
  /** Or how it fails: part of the message, and fields of the thrown error. */
  fails?: { message?: RegExp; exitCode?: number; stdout?: string; stderr?: string; cmd?: string[] };
  /** Why only one engine can answer; the case is skipped elsewhere. */
  only?: { engine: "embedded" | "dagger"; reason: string };
}

/** The image of all cases: small, and there wherever fastloop is set up. */
export const baseImage = "debian:bookworm-slim";

/** Stands for any string that the expression matches, in `expected`. */
export function matching(expression: RegExp): unknown {
  return {
    asymmetricMatch: (value: unknown) => typeof value === "string" && expression.test(value),
    toString: () => String(expression),
  };
}
