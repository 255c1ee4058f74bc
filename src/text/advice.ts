/** What to do about a command that failed, where its output names what is not there. One table for `run`, `watch` and `call`. */
import { plainText } from "./test-output.ts";

interface Known {
  pattern: RegExp;
  advice: (name: string) => string;
}

const inImage = (name: string): string =>
  `${name} is not in the image: name its package in \`packages\` of images.base in fastloop.yaml, or install it in the suite's \`install\``;

/** The first whose pattern is found counts. A pattern's group is the name in the advice. */
const known: readonly Known[] = [
  { pattern: /\bPython\.h: No such file or directory/, advice: () => inImage("Python.h (of python3-dev)") },
  { pattern: /command '(?:\S*-linux-gnu-)?([\w+.-]+)' failed: No such file/, advice: inImage },
  {
    pattern: /(?:^|[\s/])(?:ba|da|a)?sh: (?:(?:line )?\d+: )?([\w+.@-]+): (?:command )?not found\s*$/m,
    advice: inImage,
  },
  { pattern: /\bspawn ([\w+.@-]+) ENOENT\b/, advice: inImage },
  { pattern: /\bexec: "([\w+.@-]+)": executable file not found in \$PATH/, advice: inImage },
  { pattern: /FileNotFoundError: .*No such file or directory: '([\w+.@-]+)'/, advice: programIn },
  {
    pattern: /fatal: not a git repository/,
    advice: () =>
      "the sources in a container have no .git: what asks git for a version or for files needs another way, or `git init` in the tier's `run`",
  },
  {
    pattern:
      /Cannot connect to the Docker daemon|Could not find a (?:valid Docker environment|working container runtime)/,
    advice: () =>
      "there is no Docker in the containers of tests: name what they start under `services:` in fastloop.yaml",
  },
  {
    pattern:
      /\bECONNREFUSED (?:127\.0\.0\.1|::1|localhost):(\d+)|dial tcp (?:127\.0\.0\.1|\[::1\]):(?:\d+): connect: connection refused/,
    advice: () => "a server that the tests expect is not there: name it under `services:` in fastloop.yaml",
  },
];

/** Undefined where nothing known is named. */
export function failureAdvice(output: string): string | undefined {
  const text = plainText(output);
  for (const { pattern, advice } of known) {
    const found = pattern.exec(text);
    if (found !== null) {
      const told = advice(found[1] ?? "");
      if (told !== "") return told;
    }
  }
  return undefined;
}

/** Python says the same of a file that a test looks for: only a name without an ending is a program's. */
function programIn(name: string): string {
  return name.includes(".") ? "" : inImage(name);
}
