/**
 * Checks the machine: processor, memory, disk, kernel limits, file systems. The checks judge numbers that they are
 * given.
 */
import { readFileSync, statfsSync } from "node:fs";
import os from "node:os";
import { ok, unknown, wrong, type CheckResult } from "./finding.ts";

const GB = 1024 ** 3;
const gigabytes = (bytes: number): string => `${(bytes / GB).toFixed(1)} GB`;

/** Oldest Node version that fastloop is tested with. */
const leastNode = [20, 19];
const leastMemoryBytes = 3.5 * GB;
const leastFreeBytes = 5 * GB;
const leastFreeShare = 0.1;
const leastWatches = 65_536;
const leastInstances = 128;

export function checkNode(version: string): CheckResult {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major > leastNode[0]! || (major === leastNode[0] && minor >= leastNode[1]!)) return ok("node", version);
  return wrong("problem", "node", {
    found: version,
    expected: `v${leastNode.join(".")} or later`,
    impact: "fastloop may end with errors that are none of yours",
    fix: "install a newer Node",
  });
}

export function checkCores(cores: number): CheckResult {
  if (cores >= 2) return ok("cores", `${cores}`);
  return wrong("warning", "cores", {
    found: `${cores}`,
    expected: "2 or more",
    impact: "functions run one after another, beside the engine",
    fix: "give the machine more cores; `--jobs` does not help here",
  });
}

/** Checks the memory that this process may use; in a container this is less than the machine has. */
export function checkMemory(totalBytes: number, limitBytes: number | undefined): CheckResult {
  const bytes = Math.min(totalBytes, limitBytes ?? totalBytes);
  const found = bytes < totalBytes ? `${gigabytes(bytes)} of ${gigabytes(totalBytes)}` : gigabytes(bytes);
  if (bytes >= leastMemoryBytes) return ok("memory", found);
  return wrong("warning", "memory", {
    found,
    expected: "4 GB or more",
    impact: "containers are ended by the kernel when memory runs out (exit code 137)",
    fix: "set engine.limits.memory in fastloop.yaml, or give the machine more",
  });
}

export function checkDisk(id: string, folder: string, freeBytes: number, totalBytes: number): CheckResult {
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes;
  const found = `${gigabytes(freeBytes)} free (${Math.round(share * 100)} %) at ${folder}`;
  if (freeBytes >= leastFreeBytes && share >= leastFreeShare) return ok(id, found);
  return wrong(freeBytes < GB ? "problem" : "warning", id, {
    found,
    expected: `${gigabytes(leastFreeBytes)} and ${leastFreeShare * 100} % free`,
    impact: "the engine throws away what it has cached, and builds end for lack of room",
    fix: "`fastloop cache status` says what takes the room, `fastloop cache clear` frees it",
  });
}

/**
 * Checks the kernel's limits against the number of folders to watch. Undefined limits: no inotify; undefined folders:
 * unknown.
 */
export function checkInotify(
  watches: number | undefined,
  instances: number | undefined,
  folders: number | undefined,
): CheckResult[] {
  if (watches === undefined || instances === undefined)
    return [unknown("inotify-watches", "this system has no inotify")];
  const needed = Math.max(leastWatches, 4 * (folders ?? 0));
  const found = `${watches}${folders === undefined ? "" : `, for ${folders} folders of this project`}`;
  return [
    watches >= needed
      ? ok("inotify-watches", found)
      : wrong(folders !== undefined && folders > watches ? "problem" : "warning", "inotify-watches", {
          found,
          expected: `${needed} or more`,
          impact: "when they are used up, `watch` polls and notices edits later",
          fix: "sysctl fs.inotify.max_user_watches=524288",
        }),
    instances >= leastInstances
      ? ok("inotify-instances", `${instances}`)
      : wrong("warning", "inotify-instances", {
          found: `${instances}`,
          expected: `${leastInstances} or more`,
          impact: "an editor and a watch together may use them up",
          fix: "sysctl fs.inotify.max_user_instances=512",
        }),
  ];
}

/** File systems that send no events for edits made on another machine, by the kernel's magic number. */
const remoteKinds: Record<number, string> = {
  0x6969: "NFS",
  0xff534d42: "CIFS",
  0xfe534d42: "SMB",
  0x01021997: "9p",
  0x65735546: "FUSE",
  0x786f4256: "vboxsf",
};
const localKinds: Record<number, string> = {
  0xef53: "ext4",
  0x9123683e: "btrfs",
  0x58465342: "xfs",
  0x01021994: "tmpfs",
  0x794c7630: "overlayfs",
  0x2fc12fc1: "zfs",
};

/** Checks that a folder is on a local file system. `kind` is the type that `statfs` reports. */
export function checkFileSystem(id: string, folder: string, kind: number): CheckResult {
  const remote = remoteKinds[kind >>> 0];
  if (remote === undefined)
    return ok(id, `${localKinds[kind >>> 0] ?? `kind 0x${(kind >>> 0).toString(16)}`} at ${folder}`);
  return wrong("warning", id, {
    found: `${remote} at ${folder}`,
    expected: "a file system of this machine",
    impact: "edits that are made elsewhere cause no event here, and reading takes long",
    fix: "keep the project on a local disk, or set watch.poll: true in fastloop.yaml",
  });
}

/** Runs all of these checks on this machine. */
export function machineChecks({
  projectFolder,
  stateFolder,
  cacheFolder,
  folders,
}: {
  projectFolder: string;
  stateFolder: string;
  cacheFolder: string;
  folders: number | undefined;
}): CheckResult[] {
  const limit = (name: string): number | undefined => numberIn(`/proc/sys/fs/inotify/${name}`);
  return [
    checkNode(process.version),
    checkCores(os.availableParallelism()),
    checkMemory(os.totalmem(), numberIn("/sys/fs/cgroup/memory.max")),
    ...diskChecks("disk-state", stateFolder),
    ...diskChecks("disk-cache", cacheFolder),
    ...checkInotify(limit("max_user_watches"), limit("max_user_instances"), folders),
    ...kindChecks("files-project", projectFolder),
    ...kindChecks("files-state", stateFolder),
  ];
}

function diskChecks(id: string, folder: string): CheckResult[] {
  const stats = statOf(folder);
  if (stats === undefined) return [unknown(id, `nothing is at ${folder} yet`)];
  return [
    checkDisk(id, folder, Number(stats.bavail) * Number(stats.bsize), Number(stats.blocks) * Number(stats.bsize)),
  ];
}

function kindChecks(id: string, folder: string): CheckResult[] {
  const stats = statOf(folder);
  return stats === undefined ? [] : [checkFileSystem(id, folder, Number(stats.type))];
}

function statOf(folder: string): ReturnType<typeof statfsSync> | undefined {
  try {
    return statfsSync(folder);
  } catch {
    return undefined;
  }
}

/** Returns undefined for the `max` of a cgroup and for a missing file. */
function numberIn(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, "utf8").trim());
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
