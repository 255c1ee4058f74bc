/** Folders of the state; `.` is the state's own. */
export const folderNames = ["runs", "manifests", "calls", "history", "spans", "baselines", "reads"] as const;
export type StateFolderName = "." | (typeof folderNames)[number];

export const stateFolder = ".fastloop";

export const ignoreFile = ".gitignore";

export const nameIn = (folder: StateFolderName, name: string): string => (folder === "." ? name : `${folder}/${name}`);

/** No file of ours is larger; what claims to be is not ours. Hashes of a million files take 100 MB. */
export const largestBytes = 256 * 1024 * 1024;
