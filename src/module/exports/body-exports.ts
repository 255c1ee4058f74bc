/**
 * `export` of directories and files in a body. An engine writes into the container that the body runs in. Here the
 * body's private folder for temporary files takes its place.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Context } from "sdk:runtime";
import { exportOwner } from "./owner.ts";
import type { ExportedFile } from "./exported-files.ts";
import type { Ask } from "../runtime/chains.ts";

interface ExportOptions {
  path?: string;
  wipe?: boolean;
  allowParentDirPath?: boolean;
}

export function offerExports(ask: Ask): void {
  const execute = Context.prototype.execute;
  Context.prototype.execute = function <T>(this: Context): Promise<T> {
    const { operation, args = {} } = this._queryTree.at(-1) ?? {};
    // Nothing can be written elsewhere, and the session's answer says what to do instead.
    if (operation !== "export" || typeof args.path !== "string" || !mayWrite(path.resolve(args.path)))
      return execute.call<Context, [], Promise<T>>(this);
    const exported = new Context(this._queryTree.slice(0, -1), this._connection);
    return exportHere(exported, args, () => execute.call(this), ask) as Promise<T>;
  };
}

async function exportHere(
  exported: Context,
  options: ExportOptions,
  inEngine: () => Promise<unknown>,
  ask: Ask,
): Promise<unknown> {
  const type = await exported.select("__typename").execute<string>();
  if (type !== "Directory" && type !== "File") return inEngine();
  const id = await exported.select("id").execute<string>();
  const answer = await ask({ dependency: exportOwner, function: type, args: { id } });
  const files = JSON.parse(answer as string) as ExportedFile[];
  const target = path.resolve(options.path ?? "");
  return type === "File" ? writeFile(target, files[0]!, options) : writeFolder(target, files, options);
}

function mayWrite(target: string): boolean {
  const { permission } = process as unknown as { permission?: { has(scope: string, place: string): boolean } };
  return permission?.has("fs.write", target) === true;
}

function writeFile(target: string, file: ExportedFile, { allowParentDirPath }: ExportOptions): string {
  const isFolder = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder && allowParentDirPath !== true) throw new Error(`destination ${JSON.stringify(target)} is a directory`);
  const place = isFolder ? path.join(target, file.path) : target;
  mkdirSync(path.dirname(place), { recursive: true });
  write(place, file);
  return place;
}

function writeFolder(target: string, files: readonly ExportedFile[], { wipe }: ExportOptions): string {
  mkdirSync(target, { recursive: true });
  if (wipe === true)
    for (const name of readdirSync(target)) rmSync(path.join(target, name), { recursive: true, force: true });
  for (const file of files) {
    const place = path.join(target, file.path);
    if (file.content === undefined) mkdirSync(place, { recursive: true });
    else write(place, file);
  }
  return target;
}

function write(place: string, { content = "", mode }: ExportedFile): void {
  // Writing to an existing file would keep its mode.
  rmSync(place, { force: true });
  writeFileSync(place, Buffer.from(content, "base64"), { mode });
}
