import { mountOf, mounts } from "./silent-mounts.ts";

/** Where others write too: the kernel tells of nobody's writes but this machine's. */
const remote =
  /^(nfs4?|cifs|smb3?|smbfs|9p|virtiofs|afs|ceph|lustre|beegfs|gpfs|ocfs2|gfs2|vboxsf|vmhgfs|prl_fs|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs|grpcfuse|osxfs|vmhgfs-fuse|davfs2?))$/;

/**
 * The type of the network file system that a folder lies on, undefined on a local one (or where that cannot be told).
 * A write of our own is announced there as anywhere; what another machine writes is not.
 */
export function networkMount(folder: string, mountInfo?: string): string | undefined {
  const type = mountOf(folder, mounts(mountInfo))?.type ?? "";
  return remote.test(type) ? type : undefined;
}
