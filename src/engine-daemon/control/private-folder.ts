/** Folders that nobody else may write into: who could would be the daemon to our clients, or a client to our daemon. */
import { lstatSync } from "node:fs";

/** Why a folder is not this user's alone; undefined when it is, or when there is none. */
export function foreignFolder(folder: string): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (stats === undefined || uid === undefined) return undefined;
  if (!stats.isDirectory()) return `${folder} is no folder`;
  if (stats.uid !== uid) return `${folder} belongs to another user`;
  return (stats.mode & 0o077) === 0 ? undefined : `${folder} is open to other users`;
}
