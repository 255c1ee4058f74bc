import { isWithin, textIfThere } from "../paths/index.ts";

/** File systems that send an event for every write of this machine, however it is made. */
const local = /^(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|jfs|reiserfs|tmpfs|ramfs|exfat|vfat|ntfs3?|hfsplus|apfs)$/;

export interface Mount {
  /** Absolute path. */
  path: string;
  type: string;
  /** Identity of the mount, as another one may appear in the same place. */
  id?: string;
}

/** Returns the mounts in mount order; none if the system does not list them. */
export function mounts(mountInfo: string = textIfThere("/proc/self/mountinfo")): Mount[] {
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

/** Returns the mount that contains a folder; of two at one place the later one is visible. */
export function mountOf(folder: string, all: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of all) {
    if (isWithin(mount.path, folder) && mount.path.length >= (best?.path.length ?? 0)) best = mount;
  }
  return best;
}

/**
 * Returns, by mount, the watched folders in mounts below the project that may be written to without events: an overlay
 * whose layers change, FUSE, a network. The mount of the project itself is checked elsewhere.
 */
export function silentFolders(folders: readonly string[], root: string, all: readonly Mount[]): Map<Mount, string[]> {
  const own = mountOf(root, all);
  // The system's own root holds all folders, which are in other mounts or in no mount of their own.
  const suspects = all.filter(({ path, type }) => path !== "/" && path !== own?.path && !local.test(type));
  const found = new Map<Mount, string[]>();
  if (suspects.length === 0) return found;
  for (const folder of folders) {
    if (!suspects.some((mount) => isWithin(mount.path, folder))) continue;
    const mount = mountOf(folder, all)!;
    if (mount.path === own?.path || local.test(mount.type)) continue;
    const others = found.get(mount);
    if (others === undefined) found.set(mount, [folder]);
    else others.push(folder);
  }
  return found;
}
