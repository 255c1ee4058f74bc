/** Request and answer of a scan, as JSON over the child's pipes. */
import type { EnumInfo, InterfaceInfo, ObjectInfo } from "../types.ts";

export interface ScanRequest {
  /** Folder of dagger.json; places are relative to it. */
  root: string;
  /** Folder whose `src/` is scanned. */
  sourceDir: string;
  /** `name` of dagger.json. */
  name: string;
  mainObject: string;
}

export interface ScannedModule {
  description: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
  /** Warnings of the introspector, e.g. about a default value that only exists at run time. */
  warnings: string[];
}

export type ScanAnswer = { module: ScannedModule } | { problem: ScanProblem };

export interface ScanProblem {
  message: string;
  /** `file:line:col`, 1-based, relative to `root`. */
  place?: string;
  hint?: string;
  /** Further problems of the same kind, one per line. */
  detail?: string;
}
