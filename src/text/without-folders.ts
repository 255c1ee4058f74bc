/** A program with its size, and any other word that is an absolute path, also behind a scheme. */
const folders = /\/.*\/(?=[^/]+ of \d+ bytes)|(?<=^|\s|:\/\/)\/\S*\/(?=\S)/g;

/** For what may be sent to others: of each absolute path on that line only the name of the file stays. */
export function withoutFolders(line: string): string {
  return line.replace(folders, "");
}
