/** Rejects states that are not the user's, each with one sentence and what to do. */
import path from "node:path";
import process from "node:process";
import { UserError } from "../errors/index.ts";
import { isTracked } from "./git-index.ts";
import type { HeldFolder } from "./held-folder.ts";

/** Throws if the name is anything but a folder that belongs to the user or the project's owner. */
export function refuseForeign(parent: HeldFolder, name: string, shown: string, projectUid: number): void {
  const stats = parent.look(name);
  if (stats === undefined) return;
  const remove = `remove it: rm ${shown}`;
  if (stats.isSymbolicLink())
    throw refusal(
      shown,
      "is a symbolic link: fastloop keeps its state in a folder of its own, and follows none",
      remove,
    );
  if (!stats.isDirectory())
    throw refusal(shown, "is not a folder, and fastloop keeps its state in one of this name", remove);
  const own = process.getuid?.() ?? stats.uid;
  // What root or the project's owner created is as trustworthy as the project.
  if (![own, 0, projectUid].includes(stats.uid))
    throw refusal(shown, `belongs to another user (${stats.uid})`, "remove it, or take it over with chown");
}

/** Throws if git tracks anything at or below the folder. */
export function refuseTracked(folder: string): void {
  if (!isTracked(folder)) return;
  throw refusal(
    folder,
    "is tracked by git: records that come with a clone prove nothing",
    `git rm -r --cached ${path.basename(folder)}, and commit that`,
  );
}

function refusal(place: string, message: string, hint: string): UserError {
  return new UserError("usage", message, { place, hint });
}
