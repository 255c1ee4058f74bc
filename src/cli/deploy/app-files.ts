/** The files of all apps, and of which apps they changed. */
import { createHash } from "node:crypto";
import path from "node:path";
import { ProjectScanner, type ProjectSnapshot, type TargetInput } from "../../plan/index.ts";
import type { ContentHasher } from "../../tree/index.ts";
import { inputsOfApp } from "./app-inputs.ts";
import type { ChosenEnvironment } from "./environment.ts";

export interface AppFilesOptions {
  root: string;
  /** The image is built of everything, and published at each deploy. */
  isPublished: boolean;
  /** Only these apps. */
  only: readonly string[] | undefined;
}

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

  /** Which files there are is read of the configuration as it is now. */
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

  /** Apps whose files have another content than when this was asked last. */
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

  /** Whether an edit there may matter; what does is decided by content. */
  concerns(file: string): boolean {
    const relative = path.relative(this.options.root, file);
    return !/^(?:\.git|\.fastloop)(?:\/|$)/.test(relative);
  }

  save(): void {
    this.hasher.save();
  }
}
