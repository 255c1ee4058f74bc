/** Puts a shell script on one line; the end of each line decides whether the next one starts a new command. */
export function scriptOnOneLine(script: string): string {
  return script
    .trim()
    .replaceAll(/(\\|\b(?:do|then|else)|[{(|;&]|(?<!\s))\s*\n\s*/g, (_, open: string) =>
      open === "" ? "; " : open === "\\" ? " " : `${open} `,
    )
    .replaceAll(/\s+/g, " ");
}
