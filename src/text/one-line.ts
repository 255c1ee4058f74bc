/** A shell script on one line: what its lines end with tells whether the next one begins a command. */
export function scriptOnOneLine(script: string): string {
  return script
    .trim()
    .replaceAll(/(\\|\b(?:do|then|else)|[{(|;&])?\s*\n\s*/g, (_, open?: string) =>
      open === undefined ? "; " : open === "\\" ? " " : `${open} `,
    )
    .replaceAll(/\s+/g, " ");
}
