import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { UpProject } from "../../e2e/up-project.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop, type CliResult } from "./fastloop.ts";
import { RunningCommand } from "./running.ts";

/** A project whose commands run in the tests' process, so that their coverage is measured. */
export class OwnUpProject extends UpProject {
  override run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.root });
  }

  start(...words: string[]): RunningCommand {
    return this.keep(new RunningCommand(this.root, words, "up"));
  }
}

/** An engine for a file's tests, and a project for each of them, which `use` is given before it. */
export function beforeEachProject(use: (project: OwnUpProject) => void): void {
  let engine: OwnEngine | undefined;
  beforeAll(async () => {
    if (canRunEngine) engine = await startOwnEngine();
  });
  afterAll(() => engine?.stop());

  let project: OwnUpProject | undefined;
  beforeEach(() => {
    project = new OwnUpProject();
    use(project);
  });
  afterEach(() => project?.remove());
}
