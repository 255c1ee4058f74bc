/** Stands for a dependency's name when a body requests the files of an export. No module can have this name. */
export const exportOwner = "/export";
