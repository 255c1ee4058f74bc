/** The commands, a line each; `start` is what a dialect has before one. */
export const lines = (commands: readonly string[], start: string, end = ""): string =>
  commands.map((command) => `${start}${command}${end}\n`).join("");

/** The text where the condition holds, so that templates read as what they write. */
export const when = (condition: boolean, text: string): string => (condition ? text : "");
