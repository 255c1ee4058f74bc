/** Matches a program with its size, and any other absolute path, even after a scheme. */
const folders = /\/.*\/(?=[^/]+ of \d+ bytes)|(?<=^|\s|:\/\/)\/\S*\/(?=\S)/g;

/** Shortens each absolute path on a line to its file name, for text that may be sent to others. */
export function withoutFolders(line: string): string {
  return line.replace(folders, "");
}
