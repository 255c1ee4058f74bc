import type * as z from "zod";
import type { configSchema, presetNames, tierNames } from "./schema/schema.ts";
import type { servicePresetNames } from "./schema/schema-parts.ts";

/** A valid `fastloop.yaml` as written: durations and sizes are texts, which `durationMs` and `sizeBytes` convert. */
export type Config = z.infer<typeof configSchema>;
export type WatchConfig = NonNullable<Config["watch"]>;
/** A target, keyed by its name in `watch.targets`. */
export type WatchTarget = NonNullable<WatchConfig["targets"]>[string];
export type EngineConfig = NonNullable<Config["engine"]>;
export type ImagesConfig = NonNullable<Config["images"]>;
export type BaseImageConfig = NonNullable<ImagesConfig["base"]>;
export type ToolConfig = NonNullable<BaseImageConfig["tools"]>[number];
export type DevImageConfig = NonNullable<ImagesConfig["dev"]>;
export type ProdImageConfig = NonNullable<ImagesConfig["prod"]>;
export type LayerConfig = NonNullable<DevImageConfig["layers"]>[number];
export type TestsConfig = NonNullable<Config["tests"]>;
export type SuiteConfig = TestsConfig["suites"][string];
export type ServiceConfig = NonNullable<TestsConfig["services"]>[string];
/** An entry of `services`, for `fastloop up`. */
export type UpServiceConfig = NonNullable<Config["services"]>[string];
/** An entry of `up`. */
export type UpRulesConfig = NonNullable<Config["up"]>[string];
export type PublishConfig = NonNullable<Config["publish"]>;
export type ScanConfig = NonNullable<Config["scan"]>;
export type DeployConfig = NonNullable<Config["deploy"]>;
export type DeployEnvironment = DeployConfig["environments"][string];
export type DeployApp = DeployConfig["apps"][string];
export type PresetName = (typeof presetNames)[number];
export type ServicePresetName = (typeof servicePresetNames)[number];
export type TierName = (typeof tierNames)[number];

/** A configuration and its origin. */
export interface LoadedConfig {
  config: Config;
  /** Absolute path of `fastloop.yaml`; undefined if there is none and the defaults apply. */
  path?: string;
  /** Base of the paths and calls in it: the file's folder, else the folder where the search started. */
  root: string;
  /** SHA-256 of the file's text; empty without a file. */
  digest: string;
}

/** Kinds of problems that the file alone reveals; the catalogue of `validate` has an example of each. */
export type ConfigCode =
  "yaml-syntax" | "unknown-key" | "missing-key" | "wrong-value" | "unknown-reference" | "circle" | "contradiction";

/** A problem at one position of the file. Lines and columns are 1-based. */
export interface ConfigProblem {
  line: number;
  column: number;
  /** Path in the data, e.g. `watch.targets.lib.needs`. */
  path: string;
  level: "syntax" | "structure" | "semantic";
  code: ConfigCode;
  message: string;
  hint?: string;
}

export type ParsedConfig = { config: Config; problems: [] } | { config: undefined; problems: ConfigProblem[] };
