import { mountOf, mounts } from "./silent-mounts.ts";

/** File systems that other machines write to as well: the kernel only reports writes of this one. */
const remote =
  /^(nfs4?|cifs|smb3?|smbfs|9p|virtiofs|afs|ceph|lustre|beegfs|gpfs|ocfs2|gfs2|vboxsf|vmhgfs|prl_fs|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs|grpcfuse|osxfs|vmhgfs-fuse|davfs2?))$/;

/**
 * Returns the type of the network file system that a folder is on; undefined on a local one, or if unknown. Writes of
 * this machine send events there as anywhere, writes of others do not.
 */
export function networkMount(folder: string, mountInfo?: string): string | undefined {
  const type = mountOf(folder, mounts(mountInfo))?.type ?? "";
  return remote.test(type) ? type : undefined;
}
