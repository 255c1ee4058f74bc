/** Whether a path leads into a `.git`, from which git and its hooks run; some file systems don't tell capitals apart. */
export const isGitsFile = (file: string): boolean => file.toLowerCase().split(/[/\\]/).includes(".git");
