/** Puts a shell script on one line; the end of each line decides whether the next one starts a new command. */
export function scriptOnOneLine(script: string): string {
  return script
    .trim()
    .replaceAll(/(\\|\b(?:do|then|else)|[{(|;&])?\s*\n\s*/g, (_, open?: string) =>
      open === undefined ? "; " : open === "\\" ? " " : `${open} `,
    )
    .replaceAll(/\s+/g, " ");
}
