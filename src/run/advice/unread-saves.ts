import { lstatSync } from "node:fs";
import { UnreadFiles, type Project, type ProjectSnapshot } from "../../plan/index.ts";

/** Number of files reported in one watch: whoever saves a fourth one has read about the first three. */
const mostTold = 3;

/**
 * Reports, once for each file, that no target reads a saved file though targets read files of its kind, so the save
 * runs nothing.
 */
export class UnreadSaves {
  private readonly tell: (text: string) => void;
  private readonly told = new Set<string>();
  private of: { project: Project; files: UnreadFiles } | undefined;

  constructor(tell: (text: string) => void) {
    this.tell = tell;
  }

  /** `file` is absolute and outside everything that is watched; `snapshot` is the newest one of the project. */
  saw(file: string, project: Project, snapshot: ProjectSnapshot): void {
    if (this.told.size >= mostTold) return;
    if (this.of?.project !== project) {
      const inputs = project.targets.flatMap((target) => target.inputs);
      const files = new UnreadFiles(
        project.root,
        inputs,
        project.sources,
        (input) => snapshot.listing(input)?.entries ?? [],
      );
      this.of = { project, files };
    }
    const name = this.of.files.named(file);
    if (name === undefined || this.told.has(name)) return;
    // A deleted file was not edited.
    if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return;
    this.told.add(name);
    const text = JSON.stringify(name);
    this.tell(`${text} was saved, and no target reads it; name it in the inputs of the target that uses it`);
  }
}
