import { ApiError } from "../values/errors.ts";
import { changed } from "./tree.ts";
import { id, typeModule, type Resolver, type TypeModule } from "../values/resolver.ts";
import type { Container } from "../values/values.ts";

/**
 * Docker's health check of an image. It is kept in the image's configuration, and whatever runs the image runs the
 * check.
 */
export const containerHealthcheckSdl = /* GraphQL */ `
    dockerHealthcheck: HealthcheckConfig
    withDockerHealthcheck(
      args: [String!]!
      shell: Boolean = false
      interval: String = ""
      timeout: String = ""
      startPeriod: String = ""
      startInterval: String = ""
      retries: Int
    ): Container!
    withoutDockerHealthcheck: Container!
`;

interface Healthcheck {
  readonly type: "HealthcheckConfig";
  readonly args: readonly string[];
  readonly shell: boolean;
  readonly interval: string;
  readonly timeout: string;
  readonly startPeriod: string;
  readonly startInterval: string;
  readonly retries: number;
}

const durations = ["interval", "timeout", "startPeriod", "startInterval"] as const;

export const containerHealthcheckResolvers: Record<string, Resolver<Container>> = {
  dockerHealthcheck: ({ config: { Healthcheck } }) => {
    const test = Healthcheck?.["Test"] as string[] | undefined;
    if (Healthcheck === undefined || test === undefined) return null;
    const inShell = test[0] === "CMD-SHELL";
    return {
      type: "HealthcheckConfig",
      args: test.slice(1),
      shell: inShell,
      interval: goDuration(Healthcheck["Interval"]),
      timeout: goDuration(Healthcheck["Timeout"]),
      startPeriod: goDuration(Healthcheck["StartPeriod"]),
      startInterval: goDuration(Healthcheck["StartInterval"]),
      retries: Number(Healthcheck["Retries"] ?? 0),
    } satisfies Healthcheck;
  },
  withDockerHealthcheck: (container, args: Omit<Healthcheck, "type" | "retries"> & { retries?: number | null }) => {
    const times = durations.flatMap((name) =>
      args[name] === "" ? [] : [[`${name[0]!.toUpperCase()}${name.slice(1)}`, nanoseconds(args[name])] as const],
    );
    const Healthcheck = {
      Test: [args.shell ? "CMD-SHELL" : "CMD", ...args.args],
      ...Object.fromEntries(times),
      ...(args.retries === undefined || args.retries === null ? {} : { Retries: args.retries }),
    };
    return changed(container, { config: { ...container.config, Healthcheck } });
  },
  withoutDockerHealthcheck: (container) => {
    const { Healthcheck: _removed, ...config } = container.config;
    return changed(container, { config });
  },
};

export const healthcheckModule: TypeModule = typeModule<Healthcheck>(
  "HealthcheckConfig",
  /* GraphQL */ `
  type HealthcheckConfig implements Node {
    id: ID!
    args: [String!]!
    shell: Boolean!
    interval: String!
    timeout: String!
    startPeriod: String!
    startInterval: String!
    retries: Int!
  }
`,
  { id },
);

const unitNs: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Parses a duration in Go's notation (`1m30s`) into nanoseconds. Throws an `ApiError` for other text. */
function nanoseconds(text: string): number {
  const parts = text.length > 100 ? [] : [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new ApiError(`${JSON.stringify(text)} is not a duration such as 30s or 1m30s`);
  return parts.reduce((sum, [, number = "", unit = ""]) => sum + Number(number) * unitNs[unit]!, 0);
}

function goDuration(value: unknown): string {
  const ns = Number(value ?? 0);
  if (ns === 0) return "";
  if (ns < 1e9) return `${ns / 1e6}ms`;
  const seconds = ns / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return `${hours > 0 ? `${hours}h` : ""}${hours + minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
}
