import { readFileSync } from "node:fs";

/** File systems on which every write of this machine is announced, however it comes there. */
const local = /^(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|jfs|reiserfs|tmpfs|ramfs|exfat|vfat|ntfs3?|hfsplus|apfs)$/;

export interface Mount {
  /** Absolute. */
  path: string;
  type: string;
  /** Which one it is: another one may lie in the same place later. */
  id?: string;
}

/** What is mounted, in the order in which it was; nothing where the system does not tell. */
export function mounts(mountInfo: string = readMountInfo()): Mount[] {
  return mountInfo.split("\n").flatMap((line) => {
    // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    const fields = line.split(" ");
    const path = fields[4]?.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCodePoint(Number.parseInt(octal, 8)),
    );
    const type = fields[fields.indexOf("-") + 1];
    return path === undefined || type === undefined ? [] : [{ path, type, id: fields[0] }];
  });
}

/** The mount that a folder lies in; of two on one place the later one is seen. */
export function mountOf(folder: string, all: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of all) {
    const holds = mount.path === "/" || folder === mount.path || folder.startsWith(`${mount.path}/`);
    if (holds && mount.path.length >= (best?.path.length ?? 0)) best = mount;
  }
  return best;
}

/**
 * Of watched folders those that lie in a mount of their own whose writes may come from elsewhere, unannounced: an overlay
 * whose layers are written to, FUSE, a network. By mount; the one that the project itself lies in is judged elsewhere.
 */
export function silentFolders(folders: readonly string[], root: string, all: readonly Mount[]): Map<Mount, string[]> {
  const own = mountOf(root, all);
  const suspects = all.filter((mount) => mount.path !== own?.path && !local.test(mount.type));
  const found = new Map<Mount, string[]>();
  if (suspects.length === 0) return found;
  for (const folder of folders) {
    if (!suspects.some((mount) => folder === mount.path || folder.startsWith(`${mount.path}/`))) continue;
    const mount = mountOf(folder, all)!;
    if (local.test(mount.type)) continue;
    const others = found.get(mount);
    if (others === undefined) found.set(mount, [folder]);
    else others.push(folder);
  }
  return found;
}

function readMountInfo(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}
