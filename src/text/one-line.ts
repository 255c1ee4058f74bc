/** Puts a shell script on one line; the end of each line decides whether the next one starts a new command. */
export function scriptOnOneLine(script: string): string {
  return script
    .trim()
    .replaceAll(/(\\|\b(?:do|then|else)|[{(|;&]|(?<!\s))\s*\n\s*/g, (_, open: string) =>
      open === "" ? "; " : open === "\\" ? " " : `${open} `,
    )
    .replaceAll(/\s+/g, " ");
}

/**
 * Returns the user's script in a command of the pipelines module, whose own lines stand in the script before it: those
 * that measure a tier (`tierCommand`), and those around the commands of an image (`shellCommand`).
 */
export function userScript(command: readonly string[]): string | undefined {
  const [shell, option, script = "", name, given, ...others] = command;
  if (shell !== "sh" || name !== "sh" || given === undefined || others.length > 0) return undefined;
  const own =
    option === "-ec" ? /^eval "\$1"$/m : option === "-c" ? /^start=\$\(date \+%s\)\n[^]*\nexit \$code$/ : undefined;
  return own?.test(script) === true ? given : undefined;
}
