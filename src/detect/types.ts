import type { PresetName, SuiteConfig, TierName } from "../config/types.ts";

/** The files of a repository as detection sees them: relative paths with `/`, and their texts. */
export interface ProjectFiles {
  /** Every file that git would track, sorted. */
  readonly list: readonly string[];
  /** The text; empty where there is no such file. */
  read(file: string): string;
}

/** Commands and settings of one suite of `tests.suites`, as they are written. */
export interface DetectedSuite {
  /** Name of the suite and of its target: the folder's or the package's, `app` for the root. */
  name: string;
  /** Relative to the project; empty for the root. */
  folder: string;
  /** Undefined: no package manager, all is in the commands. */
  preset?: PresetName;
  /** The file that told the preset. */
  because: string;
  /** Whether the folder stands alone: then the suite is this folder and nothing else of the project. */
  alone: boolean;
  /** Of a suite that stands alone as a part of a workspace: the workspace's folder. */
  root?: string;
  image?: string;
  manifests?: string[];
  install?: string[];
  installed?: string[];
  caches?: Record<string, string>;
  env?: Record<string, string>;
  runner?: SuiteConfig["runner"];
  tiers: Partial<Record<TierName, string[]>>;
  /** Names of suites whose packages this one is made of. */
  needs: string[];
  /** What an edit must touch to concern it; undefined: everything. */
  inputs?: string[];
  /** Its toolchain is in the project's base image, as no image that has it can be had on this machine. */
  inBase?: boolean;
}

/** A tool of `images.base` that no system package is. */
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

/** What is in a repository, and what a person should know of it. */
export interface Detection {
  suites: DetectedSuite[];
  /** System packages that a suite's commands need and slim images lack. */
  packages: string[];
  /** Toolchains that the base image needs, where no image that has them can be had. */
  tools?: DetectedTool[];
  /** What was found and is not covered, or could not be decided; one sentence each. */
  notes: string[];
}
