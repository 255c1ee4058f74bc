/**
 * `.fastloop` of a project. What lies there may come from anybody: a clone, an archive, a cache. So a folder that is a
 * link, is tracked by git or belongs to a stranger is refused as a whole; what is read counts only with the user's seal;
 * names are checked before they are used, and only names of ours are deleted, one by one.
 *
 *   refused ── a link, no folder, a stranger's, tracked: read and written is nothing; `run` and `watch` say what to do
 *   usable ─── but writing may fail all the same (read-only, full, not permitted): told once, the command goes on
 */
import { createHmac } from "node:crypto";
import { lstatSync, statSync, type Stats } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { HeldFolder, type Content } from "./held-folder.ts";
import { folderNames, ignoreFile, largestBytes, nameIn, stateFolder, type StateFolderName } from "./names.ts";
import { placeOf } from "./place.ts";
import { refuseForeign, refuseTracked } from "./refuse.ts";
import { seal, unseal } from "./seal.ts";
import { SealedReader } from "./sealed-reader.ts";
import { userKey } from "./user-key.ts";

export interface StateOptions {
  /** Told, once each, why state is not used or not kept. */
  onNotice?: (text: string) => void;
  env?: NodeJS.ProcessEnv;
}

export class ProjectState {
  /** Folder of the project. */
  readonly root: string;
  /** `.fastloop` in it. */
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

  /** Throws `UserError` when this state must not be used: for commands whose purpose is to keep something in it. */
  requireUsable(): void {
    try {
      this.open(".", false, () => undefined);
    } catch (error) {
      // What the system refuses is told when it is met.
      if (error instanceof UserError || codeOf(error) === "") throw error;
    }
  }

  /** For keyed hashes of what must not be guessed from a record or a name: variables, secrets. Of this project only. */
  get hashKey(): Uint8Array {
    return createHmac("sha256", this.sealKey).update("hashes of variables and secrets").digest();
  }

  /** What was written under this name; undefined where nothing was, or not by this user for this project. */
  read(folder: StateFolderName, name: string, onForeign?: () => void): Buffer | undefined {
    return this.inside(folder, (held) => this.unsealed(folder, name, held.read(name, largestBytes), onForeign));
  }

  /** The files of a folder whose names have this shape, to be read one by one; undefined where there is no such folder. */
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

  /** Names in a folder that have this shape, whatever they are names of. */
  names(folder: StateFolderName, shape: RegExp): string[] {
    return this.inside(folder, (held) => held.names().filter((name) => shape.test(name))) ?? [];
  }

  has(folder: StateFolderName, name: string): boolean {
    return this.inside(folder, (held) => held.look(name)?.isFile()) === true;
  }

  /** What a file without a seal holds: anybody may have written it. */
  readUnsealed(folder: StateFolderName, name: string): Content {
    return this.inside(folder, (held) => held.read(name, largestBytes)) ?? "absent";
  }

  exists(): boolean {
    return lstatSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  /** Whether the project itself is there. */
  isInProject(): boolean {
    return statSync(this.root, { throwIfNoEntry: false })?.isDirectory() === true;
  }

  /** Seals and writes; a reader sees the old file or the new one. False where it could not be kept, which is told once. */
  write(folder: StateFolderName, name: string, pieces: readonly Uint8Array[]): boolean {
    return (
      this.making(folder, (held) => held.write(name, seal(this.sealKey, nameIn(folder, name), pieces))) !== undefined
    );
  }

  /** A file for output that is added to while it is made: no reader trusts it, it has no seal. Undefined where it cannot be kept. */
  openForAppending(folder: StateFolderName, name: string): number | undefined {
    return this.making(folder, (held) => held.openForAppending(name))?.made;
  }

  /** Deletes files of a folder by their names; what cannot be deleted stays. */
  remove(folder: StateFolderName, names: readonly string[]): void {
    if (names.length === 0) return;
    this.inside(folder, (held) => {
      for (const name of names) held.remove(name);
    });
  }

  /** Deletes the files of a folder whose names have this shape, if they are to go; what cannot be deleted stays. */
  sweep(folder: StateFolderName, shape: RegExp, isLeft: (match: RegExpExecArray, stats: Stats) => boolean): void {
    this.inside(folder, (held) => {
      for (const name of held.names()) {
        const match = shape.exec(name);
        const stats = match === null ? undefined : held.look(name);
        if (match !== null && stats !== undefined && isLeft(match, stats)) held.remove(name);
      }
    });
  }

  /** Deletes all but so many of the files whose names have this shape, the oldest first. */
  keepNewest(folder: StateFolderName, shape: RegExp, count: number): void {
    this.inside(folder, (held) => {
      const names = held.names().filter((name) => shape.test(name));
      if (names.length <= count) return;
      const aged = names
        .map((name) => ({ name, mtimeMs: held.look(name)?.mtimeMs ?? 0 }))
        .sort((a, b) => b.mtimeMs - a.mtimeMs);
      for (const { name } of aged.slice(count)) held.remove(name);
    });
  }

  /** Works in the folder itself, made where it is missing: for the lock and the probe, which have no seal. Throws what the system throws. */
  inOwnFolder<T>(use: (held: HeldFolder) => T): T {
    let done: { result: T } | undefined;
    this.open(".", true, (held) => (done = { result: use(held) }));
    if (done === undefined)
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${this.root}'`), {
        code: "ENOENT",
        syscall: "open",
        path: this.root,
      });
    return done.result;
  }

  /** Says once that nothing can be kept here, and why. */
  tellUnwritable(code: string): void {
    this.notice(`nothing can be written to ${this.path} (${code}): what was learned here is forgotten at the end`);
  }

  /** Takes the folder away where nothing but what made it is in it. */
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

  /** Says something of the state once. */
  notice(text: string): void {
    if (this.told.has(text)) return;
    this.told.add(text);
    this.onNotice(text);
  }

  private unsealed(
    folder: StateFolderName,
    name: string,
    content: Content,
    onForeign?: () => void,
  ): Buffer | undefined {
    if (content === "absent") return undefined;
    const body = content === "unreadable" ? undefined : unseal(this.sealKey, nameIn(folder, name), content);
    if (body === undefined) onForeign?.();
    return body;
  }

  /** Of this user and this place: what another project recorded says nothing here. */
  private get sealKey(): Uint8Array {
    if (this.key !== undefined) return this.key;
    const { bytes, isShared } = userKey((text) => this.notice(text), this.env);
    return (this.key = createHmac("sha256", bytes)
      .update(`project ${placeOf(this.root, isShared)}`)
      .digest());
  }

  /** Does something in a folder that is there; undefined where it is not, or must not be used. */
  private inside<T>(folder: StateFolderName, use: (held: HeldFolder) => T): T | undefined {
    return this.quietly(() => this.open(folder, false, use));
  }

  /** Does something in a folder, which is made where it is missing; undefined where that cannot be. */
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

  /** The folder of the project; undefined where that is gone. */
  private openProject(): HeldFolder | undefined {
    try {
      return HeldFolder.open(this.root);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
      throw error;
    }
  }

  /** Throws `UserError` where it must not be used. */
  private openState(project: HeldFolder | undefined, make = false): HeldFolder | undefined {
    if (project === undefined) return undefined;
    refuseForeign(project, stateFolder, this.path, project.stats.uid);
    refuseTracked(this.path);
    if (make) project.makeFolder(stateFolder);
    const state = project.folderIfThere(stateFolder);
    if (state === undefined) return undefined;
    try {
      for (const name of folderNames) refuseForeign(state, name, path.join(this.path, name), project.stats.uid);
      // Nobody's source, also in projects whose .gitignore does not name it.
      if (make && state.look(ignoreFile) === undefined) state.make(ignoreFile, "*\n", 0o644);
      return state;
    } catch (error) {
      state.close();
      throw error;
    }
  }

  /** A state that must not be used, or that the system refuses, costs what it would have saved: it is told once. */
  private quietly<T>(use: () => T, writes = false): T | undefined {
    try {
      return use();
    } catch (error) {
      if (error instanceof UserError)
        this.notice(`${error.place}: ${error.message}; nothing in it is used (${error.hint})`);
      else if (codeOf(error) === "") throw error;
      // Where the project itself is gone, nobody needs to hear of its state.
      else if (codeOf(error) !== "ENOENT") {
        if (writes) this.tellUnwritable(codeOf(error));
        else this.notice(`nothing can be read from ${this.path} (${codeOf(error)})`);
      }
      return undefined;
    }
  }
}

/** Empty for what is no error of the system. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && "syscall" in error ? String(error.code) : "";
}
