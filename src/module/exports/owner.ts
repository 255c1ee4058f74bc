/** In the place of a dependency's name, where a body asks for the files of an export: no module is called so. */
export const exportOwner = "/export";
