/**
 * `.fastloop` of a project. Its content may come from anybody: a clone, an archive, a cache. A folder that is a link, is
 * tracked by git or belongs to another user is refused as a whole; content counts only with the user's seal; names are
 * checked before they are used, and only names that fastloop gives are deleted, one by one.
 *
 *   refused ── a link, no folder, another user's, tracked: nothing is read or written; `run` and `watch` say what to do
 *   usable ─── but writing may fail (read-only, full, not permitted): reported once, and the command goes on
 */
import { createHmac } from "node:crypto";
import { lstatSync, statSync, type BigIntStats, type Stats } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { codeOf } from "./error-code.ts";
import { HeldFolder, type Content } from "./held-folder.ts";
import { folderNames, ignoreFile, largestBytes, nameIn, stateFolder, type StateFolderName } from "./names.ts";
import { placeOf } from "./place.ts";
import { refuseForeign, refuseTracked } from "./refuse.ts";
import { seal, unseal } from "./seal.ts";
import { SealedReader } from "./sealed-reader.ts";
import { userKey } from "./user-key.ts";

export interface StateOptions {
  /** Called once for each reason why the state is not used or not saved. */
  onNotice?: (text: string) => void;
  env?: NodeJS.ProcessEnv;
}

export class ProjectState {
  /** Folder of the project. */
  readonly root: string;
  /** Path of its `.fastloop`. */
  readonly path: string;
  private readonly onNotice: (text: string) => void;
  private readonly env: NodeJS.ProcessEnv;
  private readonly told = new Set<string>();
  private key: Uint8Array | undefined;

  constructor(root: string, { onNotice = () => undefined, env = process.env }: StateOptions = {}) {
    this.root = root;
    this.path = path.join(root, stateFolder);
    this.env = env;
    this.onNotice = onNotice;
  }

  /** Throws a `UserError` if this state must not be used; for commands whose purpose is to store something in it. */
  requireUsable(): void {
    try {
      this.open(".", false, () => undefined);
    } catch (error) {
      // System errors are reported when the failing operation is used.
      if (error instanceof UserError || codeOf(error) === "") throw error;
    }
  }

  /** Key for hashes of variables and secrets, whose values must not be guessable. Unique to this project. */
  get hashKey(): Uint8Array {
    return createHmac("sha256", this.sealKey).update("hashes of variables and secrets").digest();
  }

  /** Returns what was written under this name; undefined if nothing was, or not by this user for this project. */
  read(folder: StateFolderName, name: string, onForeign?: () => void): Buffer | undefined {
    return this.readThen(folder, name, (body) => body, onForeign);
  }

  /** Reads like `read`, and passes the open file to `use`: it stays the checked file even if the name is replaced. */
  readThen<T>(
    folder: StateFolderName,
    name: string,
    use: (body: Buffer, descriptor: number) => T,
    onForeign?: () => void,
  ): T | undefined {
    return this.inside(folder, (held) => {
      const used = held.readThen(name, largestBytes, (content, descriptor) => {
        const body = unseal(this.sealKey, nameIn(folder, name), content);
        return body === undefined ? undefined : { is: use(body, descriptor) };
      });
      if (typeof used === "object") return used.is;
      return void (used === "absent" || onForeign?.());
    });
  }

  /** Opens the files whose names match `shape`, newest name first; undefined if there is no such folder. */
  openReader(
    folder: Exclude<StateFolderName, ".">,
    shape: RegExp,
    limits: { files: number; fileBytes: number },
  ): SealedReader | undefined {
    return this.inside(".", (state) => {
      const held = state.folderIfThere(folder);
      if (held === undefined) return undefined;
      const names = held
        .names()
        .filter((name) => shape.test(name))
        .sort()
        .reverse()
        .slice(0, limits.files);
      return new SealedReader(held, names, (name) => {
        const content = held.read(name, limits.fileBytes);
        return typeof content === "string"
          ? content
          : (unseal(this.sealKey, nameIn(folder, name), content) ?? "unreadable");
      });
    });
  }

  /** Returns the names in a folder that match `shape`, whatever kind of entry they are. */
  names(folder: StateFolderName, shape: RegExp): string[] {
    return this.inside(folder, (held) => held.names().filter((name) => shape.test(name))) ?? [];
  }

  /** Returns inode and times of a folder; undefined if there is none. */
  timesOf(folder: StateFolderName): BigIntStats | undefined {
    return this.inside(folder, (held) => held.times());
  }

  has(folder: StateFolderName, name: string): boolean {
    return this.inside(folder, (held) => held.look(name)?.isFile()) === true;
  }

  /** Returns the content of a file without a seal, which anybody may have written. */
  readUnsealed(folder: StateFolderName, name: string): Content {
    return this.inside(folder, (held) => held.read(name, largestBytes)) ?? "absent";
  }

  exists(): boolean {
    return lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  /** Reports whether the project folder itself exists. */
  isInProject(): boolean {
    return statSync(this.root, { throwIfNoEntry: false })?.isDirectory() === true;
  }

  /** Seals and writes atomically. Returns false if the file could not be saved, which is reported once. */
  write(folder: StateFolderName, name: string, pieces: readonly Uint8Array[]): boolean {
    return (
      this.making(folder, (held) => held.write(name, seal(this.sealKey, nameIn(folder, name), pieces))) !== undefined
    );
  }

  /** Opens a file for output, without a seal, so no reader trusts it. Undefined if it cannot be written. */
  openForAppending(folder: StateFolderName, name: string): number | undefined {
    return this.making(folder, (held) => held.openForAppending(name))?.made;
  }

  /** Deletes files of a folder by name; those that cannot be deleted stay. */
  remove(folder: StateFolderName, names: readonly string[]): void {
    if (names.length === 0) return;
    this.inside(folder, (held) => {
      for (const name of names) held.remove(name);
    });
  }

  /** Deletes the files whose names match `shape` and for which `isLeft` holds; those that cannot be deleted stay. */
  sweep(folder: StateFolderName, shape: RegExp, isLeft: (match: RegExpExecArray, stats: Stats) => boolean): void {
    this.inside(folder, (held) => {
      for (const name of held.names()) {
        const match = shape.exec(name);
        const stats = match === null ? undefined : held.look(name);
        if (match !== null && stats !== undefined && isLeft(match, stats)) held.remove(name);
      }
    });
  }

  /** Deletes the oldest files whose names match `shape`, keeping `count` of them. */
  keepNewest(folder: StateFolderName, shape: RegExp, count: number): void {
    this.inside(folder, (held) => {
      for (const name of held.namesByAge(shape).slice(count)) held.remove(name);
    });
  }

  /** Works in the state folder, created if needed: for lock and probe, which have no seal. Throws system errors. */
  inOwnFolder<T>(use: (held: HeldFolder) => T): T {
    let done: { result: T } | undefined;
    this.open(".", true, (held) => (done = { result: use(held) }));
    const gone = { code: "ENOENT", syscall: "open", path: this.root };
    if (done === undefined)
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${this.root}'`), gone);
    return done.result;
  }

  /** Reports once that nothing can be saved here, and why. */
  reportUnwritable(code: string): void {
    this.notice(`nothing can be written to ${this.path} (${code}): what was learned here is forgotten at the end`);
  }

  /** Removes the state folder if it contains nothing but the file created with it. */
  removeIfEmpty(): void {
    this.quietly(() => {
      const project = this.openProject();
      const state = this.openState(project);
      try {
        if (state === undefined || state.names().some((name) => name !== ignoreFile)) return;
        state.remove(ignoreFile);
        project?.remove(stateFolder);
      } finally {
        state?.close();
        project?.close();
      }
    });
  }

  /** Reports something about the state once. */
  notice(text: string): void {
    if (this.told.has(text)) return;
    this.told.add(text);
    this.onNotice(text);
  }

  /** Key of this user for this location, so that another project's records do not count here. */
  private get sealKey(): Uint8Array {
    if (this.key !== undefined) return this.key;
    const { bytes, isShared } = userKey((text) => this.notice(text), this.env);
    return (this.key = createHmac("sha256", bytes)
      .update(`project ${placeOf(this.root, isShared)}`)
      .digest());
  }

  /** Works in an existing folder; undefined if there is none, or it must not be used. */
  private inside<T>(folder: StateFolderName, use: (held: HeldFolder) => T): T | undefined {
    return this.quietly(() => this.open(folder, false, use));
  }

  /** Works in a folder, creating it if needed; undefined if that fails. */
  private making<T>(folder: StateFolderName, use: (held: HeldFolder) => T): { made: T } | undefined {
    return this.quietly(() => {
      let done: { made: T } | undefined;
      this.open(folder, true, (held) => (done = { made: use(held) }));
      return done;
    }, true);
  }

  private open<T>(folder: StateFolderName, make: boolean, use: (held: HeldFolder) => T): T | undefined {
    const held: HeldFolder[] = [];
    try {
      const project = this.openProject();
      if (project === undefined) return undefined;
      held.push(project);
      const state = this.openState(project, make);
      if (state === undefined) return undefined;
      held.push(state);
      if (folder === ".") return use(state);
      if (make) state.makeFolder(folder);
      const inner = state.folderIfThere(folder);
      if (inner === undefined) return undefined;
      held.push(inner);
      return use(inner);
    } finally {
      for (const one of held.reverse()) one.close();
    }
  }

  /** Opens the project folder; undefined if it no longer exists. */
  private openProject(): HeldFolder | undefined {
    try {
      return HeldFolder.open(this.root);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
      throw error;
    }
  }

  /** Opens the state folder. Throws a `UserError` if it must not be used. */
  private openState(project: HeldFolder | undefined, make = false): HeldFolder | undefined {
    if (project === undefined) return undefined;
    refuseForeign(project, stateFolder, this.path, project.stats.uid);
    refuseTracked(this.path);
    if (make) project.makeFolder(stateFolder);
    const state = project.folderIfThere(stateFolder);
    if (state === undefined) return undefined;
    try {
      for (const name of folderNames) refuseForeign(state, name, path.join(this.path, name), project.stats.uid);
      // Keeps the state out of git, even in projects whose .gitignore does not list it.
      if (make && state.look(ignoreFile) === undefined) state.make(ignoreFile, "*\n", 0o644);
      return state;
    } catch (error) {
      state.close();
      throw error;
    }
  }

  /** A state that must not be used, or that the system refuses, only costs time: the reason is reported once. */
  private quietly<T>(use: () => T, writes = false): T | undefined {
    try {
      return use();
    } catch (error) {
      if (error instanceof UserError)
        this.notice(`${error.place}: ${error.message}; nothing in it is used (${error.hint})`);
      else if (codeOf(error) === "") throw error;
      // Nobody needs the state of a project that no longer exists.
      else if (codeOf(error) !== "ENOENT") {
        if (writes) this.reportUnwritable(codeOf(error));
        else this.notice(`nothing can be read from ${this.path} (${codeOf(error)})`);
      }
      return undefined;
    }
  }
}
