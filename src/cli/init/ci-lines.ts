/** Formats commands one a line; `start` is the prefix of a line in the CI system's syntax. */
export const lines = (commands: readonly string[], start: string, end = ""): string =>
  commands.map((command) => `${start}${command}${end}\n`).join("");

/** Returns the text if the condition holds, so that templates look like what they produce. */
export const when = (condition: boolean, text: string): string => (condition ? text : "");
