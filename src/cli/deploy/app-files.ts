/** Tracks the files of all apps, and which apps an edit changed. */
import { createHash } from "node:crypto";
import path from "node:path";
import { ProjectScanner, type ProjectSnapshot, type TargetInput } from "../../plan/index.ts";
import type { ContentHasher } from "../../tree/index.ts";
import { inputsOfApp } from "./app-inputs.ts";
import type { ChosenEnvironment } from "./environment.ts";

export interface AppFilesOptions {
  root: string;
  /** Whether the image is published at each deploy: it is built from all files. */
  isPublished: boolean;
  /** Names of the apps to track; undefined for all. */
  only: readonly string[] | undefined;
}

/** Scans the inputs of the apps that a watch deploys. */
export class AppFiles {
  private readonly hasher: ContentHasher;
  private readonly options: AppFilesOptions;
  private apps = new Map<string, TargetInput[]>();
  private scanner: ProjectScanner;
  private readonly seen = new Map<string, string>();

  constructor(hasher: ContentHasher, options: AppFilesOptions) {
    this.hasher = hasher;
    this.options = options;
    this.scanner = new ProjectScanner([], hasher);
  }

  /** Takes the apps and their files from the current configuration. */
  describe({ name, config }: ChosenEnvironment): void {
    const { root, isPublished, only } = this.options;
    const ignored = config.config.watch?.ignore ?? [];
    const apps = Object.entries(config.config.deploy?.apps ?? {}).filter(([app]) => only?.includes(app) ?? true);
    this.apps = new Map(
      apps.map(([app, described]) => [app, inputsOfApp(described, name, root, { ignored, isPublished })]),
    );
    this.scanner = new ProjectScanner([...this.apps.values()].flat(), this.hasher);
  }

  scan(): ProjectSnapshot {
    return this.scanner.scan();
  }

  /** Returns the apps whose files changed in content since the last call. */
  changed(): string[] {
    const snapshot = this.scan();
    return [...this.apps].flatMap(([app, inputs]) => {
      const hash = createHash("sha256");
      for (const input of inputs) hash.update(`${input.path}\0${snapshot.digest(input)}\0`);
      const digest = hash.digest("hex");
      const isSame = this.seen.get(app) === digest;
      this.seen.set(app, digest);
      return isSame ? [] : [app];
    });
  }

  /** Reports whether an edit of the file may matter; `changed` then decides by content. */
  concerns(file: string): boolean {
    const relative = path.relative(this.options.root, file);
    return !/^(?:\.git|\.fastloop)(?:\/|$)/.test(relative);
  }

  save(): void {
    this.hasher.save();
  }
}
