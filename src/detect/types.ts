import type { PresetName, SuiteConfig, TierName } from "../config/types.ts";

/** The files of a repository as detection sees them: relative paths with `/`, and their texts. */
export interface ProjectFiles {
  /** All files that git would track, sorted. */
  readonly list: readonly string[];
  /** Returns the text of a file; empty if there is none. */
  read(file: string): string;
}

/** Commands and settings of one suite, as written to `tests.suites`. */
export interface DetectedSuite {
  /** Name of the suite and its target: that of the folder or the package, `app` for the root. */
  name: string;
  /** Relative to the project; empty for the root. */
  folder: string;
  /** Undefined without a package manager; the commands then do everything. */
  preset?: PresetName;
  /** File from which the preset was detected. */
  because: string;
  /** Whether the suite is standalone: it consists of this folder and nothing else of the project. */
  alone: boolean;
  /** Folder of the workspace, for a standalone suite that is part of one. */
  root?: string;
  image?: string;
  manifests?: string[];
  install?: string[];
  installed?: string[];
  caches?: Record<string, string>;
  env?: Record<string, string>;
  runner?: SuiteConfig["runner"];
  tiers: Partial<Record<TierName, string[]>>;
  /** Names of suites whose packages this one depends on. */
  needs: string[];
  /** Patterns of files that affect it; undefined for all. */
  inputs?: string[];
  /** Whether its toolchain is in the project's base image, because no image with it is available on this host. */
  inBase?: boolean;
}

/** A tool of `images.base` that is not a system package. */
export interface DetectedTool {
  name: string;
  version: string;
  check: string;
  install: string[];
}

/** `deploy:` as it is written. */
export interface DetectedDeploy {
  environments: Record<string, { production?: true; context?: string; namespace: string }>;
  apps: Record<string, { manifests?: string[]; kustomize?: string; helm?: { chart: string; values?: string[] } }>;
}

/** What a repository contains, and what its users should know about it. */
export interface Detection {
  suites: DetectedSuite[];
  /** System packages that the suites' commands need and slim images lack. */
  packages: string[];
  /** Toolchains for the base image, if no image with them is available. */
  tools?: DetectedTool[];
  /** What is not covered or could not be decided; one sentence each. */
  notes: string[];
}
