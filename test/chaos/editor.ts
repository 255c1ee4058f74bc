/** A random editor: ways in which people and their programs change files, each a step that is over when it returns. */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { weights } from "./edit-weights.ts";
import { namesBelow, type ChaosProject } from "./project.ts";
import { doubtful, edited, linkNames, linkTargets, ruleFiles, rules } from "./project-source.ts";
import type { Random } from "./random.ts";

export type EditName = keyof typeof weights;

export class Editor {
  readonly counts: Partial<Record<EditName, number>> = {};
  private readonly project: ChaosProject;
  private readonly random: Random;
  private serial = 0;

  constructor(project: ChaosProject, random: Random) {
    this.project = project;
    this.random = random;
  }

  /** Content that was never there before. */
  fresh(): string {
    return `text ${this.serial++}\n`;
  }

  /** One random step. A step that is impossible on the files as they are is another one. */
  step(): void {
    for (;;) {
      const name = this.random.weighted(weights);
      try {
        if (!this.try(name)) continue;
      } catch (error) {
        // A name that is taken by something of another kind; what was done before it counts.
        if (!taken.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      return;
    }
  }

  private try(name: EditName): boolean {
    switch (name) {
      case "write":
        return this.onFile((file) => writeFileSync(file, this.fresh()));
      case "same content":
        return this.onFile((file) => writeFileSync(file, readFileSync(file)));
      case "touch":
        return this.onFile((file) =>
          utimesSync(file, this.random.below(2_000_000_000), this.random.below(2_000_000_000)),
        );
      case "atomic save":
        return this.onFile((file) => {
          writeFileSync(`${file}.tmp`, this.fresh());
          renameSync(`${file}.tmp`, file);
        });
      case "vim, renaming":
        return this.onFile((file) => {
          renameSync(file, `${file}~`);
          writeFileSync(file, this.fresh());
          unlinkSync(`${file}~`);
        });
      case "vim, truncating":
        return this.onFile((file) => {
          copyFileSync(file, `${file}~`);
          truncateSync(file);
          appendFileSync(file, this.fresh());
          unlinkSync(`${file}~`);
        });
      case "two writes":
        return this.onFile((file) => {
          writeFileSync(file, this.fresh());
          const handle = openSync(file, "w");
          writeSync(handle, this.fresh());
          closeSync(handle);
        });
      case "append":
        return this.onFile((file) => appendFileSync(file, this.fresh()));
      case "new file":
        writeFileSync(path.join(this.folder(), this.name()), this.fresh());
        return true;
      case "mkdir -p and files": {
        const folder = path.join(this.folder(), this.name(), this.name());
        mkdirSync(folder, { recursive: true });
        for (let file = this.random.below(4); file >= 0; file--)
          writeFileSync(path.join(folder, `f${file}.txt`), this.fresh());
        return true;
      }
      case "delete":
        return this.onFile((file) => unlinkSync(file));
      case "rename a file":
        return this.onFile((file) => renameSync(file, path.join(path.dirname(file), this.name())));
      case "rename a folder":
        return this.onFolder((folder) => renameSync(folder, path.join(path.dirname(folder), this.name())));
      case "move a folder elsewhere":
        return this.onFolder((folder) => {
          const target = this.folder();
          if (!`${target}/`.startsWith(`${folder}/`)) renameSync(folder, path.join(target, this.name()));
        });
      case "delete a folder":
        return this.onFolder((folder) => rmSync(folder, { recursive: true }));
      case "delete a folder and make it again":
        return this.onFolder((folder) => {
          rmSync(folder, { recursive: true });
          mkdirSync(folder);
          writeFileSync(path.join(folder, "again.txt"), this.fresh());
        });
      case "swap two folders":
        return this.onFolder((folder) => {
          const other = this.random.pick(this.entries().filter((entry) => entry.isFolder)).file;
          if (`${other}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${other}/`)) return;
          renameSync(folder, `${folder}.swap`);
          renameSync(other, folder);
          renameSync(`${folder}.swap`, other);
        });
      case "change case":
        return this.onFile((file) => {
          const base = path.basename(file);
          renameSync(
            file,
            path.join(path.dirname(file), base === base.toLowerCase() ? base.toUpperCase() : base.toLowerCase()),
          );
        });
      case "make a link":
        symlinkSync(
          this.random.pick(["a.txt", "inner", "../docs", "nowhere"]),
          path.join(this.folder(), `link${this.serial++}`),
        );
        return true;
      case "point a link elsewhere":
        return this.onLink((link) => {
          unlinkSync(link);
          symlinkSync(this.random.pick(["b.txt", "inner/deep", "../lib", "gone"]), link);
        });
      case "loop of links": {
        const folder = this.folder();
        symlinkSync(`y${this.serial}`, path.join(folder, `x${this.serial}`));
        symlinkSync(`x${this.serial}`, path.join(folder, `y${this.serial}`));
        this.serial++;
        return true;
      }
      case "chmod":
        return this.onFile((file) => chmodSync(file, this.random.pick([0o644, 0o755, 0o600, 0o444])));
      case "file becomes folder":
        return this.onFile((file) => {
          unlinkSync(file);
          mkdirSync(file);
          writeFileSync(path.join(file, "inside.txt"), this.fresh());
        });
      case "break or mend":
        return this.toggle("broken");
      case "slow or quick":
        return this.toggle("slow");
      case "delete and restore a root": {
        const root = this.project.at(this.random.pick(edited));
        rmSync(root, { recursive: true });
        mkdirSync(path.join(root, "inner"), { recursive: true });
        for (const name of ["a", "inner/c"]) writeFileSync(path.join(root, `${name}.txt`), this.fresh());
        return true;
      }
      case "move a root away and back": {
        const root = this.project.at(this.random.pick(edited));
        renameSync(root, `${root}.away`);
        renameSync(`${root}.away`, root);
        return true;
      }
      case "write a doubtful file":
        this.project.write(`cfg/${this.random.pick(doubtful)}`, this.fresh());
        return true;
      case "delete a doubtful file":
        rmSync(this.project.at(`cfg/${this.random.pick(doubtful)}`), { force: true });
        return true;
      case "edit ignore rules":
        this.project.writeRules(
          this.random.pick(ruleFiles),
          rules.filter(() => this.random.below(2) === 0),
        );
        this.project.noteIgnored();
        return true;
      case "track or untrack": {
        const file = `cfg/${this.random.pick(doubtful)}`;
        if (!existsSync(this.project.at(file))) return false;
        if (this.random.below(2) === 0) this.project.git("add", "-f", file);
        else this.project.git("rm", "-q", "-f", "--cached", "--ignore-unmatch", file);
        this.project.noteIgnored();
        return true;
      }
      case "edit behind a link":
        this.project.write(
          `targets/${this.random.pick(linkTargets)}/${this.random.pick(["f.txt", "in/g.txt"])}`,
          this.fresh(),
        );
        return true;
      case "point a followed link elsewhere": {
        const link = this.project.at(`links/${this.random.pick(linkNames)}`);
        rmSync(link, { force: true });
        const target = `../targets/${this.random.pick(linkTargets)}`;
        mkdirSync(path.dirname(link), { recursive: true });
        symlinkSync(this.random.pick([target, target, `${target}/f.txt`, `${target}/in`, ".", "../gone", "l0"]), link);
        return true;
      }
      case "link in what a link leads to": {
        const link = this.project.at(`targets/${this.random.pick(linkTargets)}/next`);
        rmSync(link, { force: true });
        mkdirSync(path.dirname(link), { recursive: true });
        if (this.random.below(3) > 0) symlinkSync(this.random.pick(["../v0", "../v1/in", ".", "f.txt"]), link);
        return true;
      }
    }
  }

  private toggle(name: string): boolean {
    const file = path.join(this.project.at(this.random.pick(edited)), name);
    if (existsSync(file)) rmSync(file, { recursive: true });
    else writeFileSync(file, "");
    return true;
  }

  private name(): string {
    return (
      this.random.pick(["n", "N", "new", "with space", "ünïcode", "d", "inner", "a.txt"]) +
      (this.random.below(3) === 0 ? "" : `${this.serial++}`)
    );
  }

  private onFile(edit: (file: string) => void): boolean {
    return this.onEntry((entry) => entry.isFile, edit);
  }

  private onLink(edit: (file: string) => void): boolean {
    return this.onEntry((entry) => entry.isLink, edit);
  }

  private onFolder(edit: (file: string) => void): boolean {
    return this.onEntry((entry) => entry.isFolder, edit);
  }

  private onEntry(wanted: (entry: Entry) => boolean, edit: (file: string) => void): boolean {
    const candidates = this.entries().filter(wanted);
    if (candidates.length === 0) return false;
    edit(this.random.pick(candidates).file);
    return true;
  }

  /** A folder to make something in: one of the roots, or one in them. */
  private folder(): string {
    const folders = this.entries().filter((entry) => entry.isFolder);
    const roots = edited.map((root) => this.project.at(root));
    return folders.length === 0 || this.random.below(3) === 0
      ? this.random.pick(roots)
      : this.random.pick(folders).file;
  }

  /** All that can be edited, in one order for one seed. */
  private entries(): Entry[] {
    return edited.flatMap((root) =>
      namesBelow(this.project.at(root))
        .sort()
        .map((name) => {
          const file = path.join(this.project.at(root), name);
          const stats = lstatSync(file);
          return { file, isFile: stats.isFile(), isFolder: stats.isDirectory(), isLink: stats.isSymbolicLink() };
        }),
    );
  }
}

const taken = new Set(["ENOTEMPTY", "EISDIR", "ENOTDIR", "EEXIST", "EINVAL"]);

interface Entry {
  file: string;
  isFile: boolean;
  isFolder: boolean;
  isLink: boolean;
}
