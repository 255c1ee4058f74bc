import process from "node:process";

/** This machine's architecture, as Go and container images name it. */
export const nativeArch = process.arch === "x64" ? "amd64" : process.arch;
