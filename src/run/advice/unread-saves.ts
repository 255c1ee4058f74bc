import { lstatSync } from "node:fs";
import { UnreadFiles, type Project, type ProjectSnapshot } from "../../plan/index.ts";

/** So many files are told in one watch: whoever saves a fourth one has read the first three. */
const mostTold = 3;

/** Says of a saved file that no target reads, where targets read such files, that the save runs nothing. Once for each file. */
export class UnreadSaves {
  private readonly tell: (text: string) => void;
  private readonly told = new Set<string>();
  private of: { project: Project; files: UnreadFiles } | undefined;

  constructor(tell: (text: string) => void) {
    this.tell = tell;
  }

  /** `file` is absolute, and concerns nothing that is watched; `snapshot` is the newest of the project. */
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
    // What was deleted was not edited.
    if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return;
    this.told.add(name);
    const text = JSON.stringify(name);
    this.tell(`${text} was saved, and no target reads it; name it in the inputs of the target that uses it`);
  }
}
