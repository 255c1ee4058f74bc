/**
 * Reports whether a path leads into a `.git`, from which git and its hooks run programs; some file systems ignore case.
 */
export const isGitsFile = (file: string): boolean => file.toLowerCase().split(/[/\\]/).includes(".git");
