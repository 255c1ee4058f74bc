import { readFileSync } from "node:fs";

/** Where others write too: the kernel tells of nobody's writes but this machine's. */
const remote =
  /^(nfs4?|cifs|smb3?|smbfs|9p|virtiofs|afs|ceph|lustre|beegfs|gpfs|ocfs2|gfs2|vboxsf|vmhgfs|prl_fs|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs|grpcfuse|osxfs|vmhgfs-fuse|davfs2?))$/;

/**
 * The type of the network file system that a folder lies on, undefined on a local one (or where that cannot be told).
 * A write of our own is announced there as anywhere; what another machine writes is not.
 */
export function networkMount(folder: string, mountInfo: string = readMountInfo()): string | undefined {
  let best = { length: -1, type: "" };
  for (const line of mountInfo.split("\n")) {
    // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    const fields = line.split(" ");
    const mountPoint = fields[4]?.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
    const type = fields[fields.indexOf("-") + 1];
    if (mountPoint === undefined || type === undefined) continue;
    const holds = mountPoint === "/" || folder === mountPoint || folder.startsWith(`${mountPoint}/`);
    // Of two mounts on one place the later one is seen.
    if (holds && mountPoint.length >= best.length) best = { length: mountPoint.length, type };
  }
  return remote.test(best.type) ? best.type : undefined;
}

function readMountInfo(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}
