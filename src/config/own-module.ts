/** The name by which `module:` and `-m` mean the module that fastloop brings; a folder of that name is `./fastloop`. */
export const ownModule = "fastloop";
