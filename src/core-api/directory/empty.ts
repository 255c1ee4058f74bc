import { scratch, type Directory } from "../values/values.ts";

export const emptyDirectory: Directory = { type: "Directory", tree: scratch, path: "/" };
