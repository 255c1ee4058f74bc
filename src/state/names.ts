/** Folders of the state; `.` is the state folder itself. */
export const folderNames = ["runs", "manifests", "calls", "history", "spans", "baselines", "reads"] as const;
export type StateFolderName = "." | (typeof folderNames)[number];

export const stateFolder = ".fastloop";

export const ignoreFile = ".gitignore";

export const nameIn = (folder: StateFolderName, name: string): string => (folder === "." ? name : `${folder}/${name}`);

/** Upper limit of a state file in bytes; anything larger is not fastloop's. Hashes of a million files take 100 MB. */
export const largestBytes = 256 * 1024 * 1024;
