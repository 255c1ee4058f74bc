/** Advice about a failed command whose output names something missing. `run`, `watch` and `call` share this table. */
import { plainText } from "./test-output.ts";

interface Known {
  pattern: Pick<RegExp, "exec">;
  advice: (name: string) => string;
}

const inImage = (name: string): string =>
  `${name} is not in the image: name its package in \`packages\` of images.base in fastloop.yaml, or install it in the suite's \`install\``;

const serverAt = (port: string): string =>
  `nothing listens on port ${port} in the tests' container: describe that server under \`tests.services\` in fastloop.yaml, name it in the suite's \`services\`, and connect to it by that name instead of localhost`;

/** The group of a pattern is the name in the advice. */
const known: readonly Known[] = [
  { pattern: /\bPython\.h: No such file or directory/, advice: () => inImage("Python.h (of python3-dev)") },
  { pattern: /command '(?:\S*-linux-gnu-)?([\w+.-]+)' failed: No such file/, advice: inImage },
  {
    pattern: /(?:^|[\s/])(?:ba|da|a)?sh: (?:(?:line )?\d+: )?([\w+.@-]+): (?:command )?not found\s*$/m,
    advice: inImage,
  },
  { pattern: /\bspawn ([\w+.@-]+) ENOENT\b/, advice: inImage },
  { pattern: /\bexec: "([\w+.@-]+)": executable file not found in \$PATH/, advice: inImage },
  { pattern: { exec: programOfPython }, advice: inImage },
  ...[
    /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
    /\bgyp http fetch GET https?:\/\/([\w.-]+)\S* attempt \d+ failed with E/,
    /\b[Cc]ould not resolve host: ([\w.-]+)/,
    /\bdial tcp: lookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving)/,
    /\bHTTPS?ConnectionPool\(host='([\w.-]+)', port=\d+\): Max retries exceeded[^\n]{0,300}(?:Name or service not known|Temporary failure in name resolution)/,
    /\bFailed to (?:download|fetch):? `https?:\/\/([\w.-]+)\/[^\n]{0,400}\n(?:[^\n]{0,400}\n){0,6}?[^\n]{0,40}dns error/,
  ].map((pattern) => ({ pattern, advice: (host: string) => `${host} can't be reached from the containers` })),
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
  ...[
    /\bECONNREFUSED (?:127\.0\.0\.1|::1|localhost):(\d+)/,
    /\bdial tcp (?:127\.0\.0\.1|\[::1\]):(\d+): connect: connection refused/,
    /\bError 111 connecting to (?:127\.0\.0\.1|localhost):(\d+)/,
    /\bserver at "(?:127\.0\.0\.1|::1|localhost)"[^\n]{0,40}, port (\d+) failed: Connection refused/,
    /\.s\.PGSQL\.(\d+)\b[^\n]{0,80}\b[Nn]o such file or directory/,
    /\[Errno 111\] Connect call failed \('(?:127\.0\.0\.1|::1)', (\d+)/,
  ].map((pattern) => ({ pattern, advice: serverAt })),
];

/** Lines of Python's traceback that may stand between a call and its error. */
const linesBetween = 12;

/**
 * Finds a program that Python could not start. A missing file of a test is reported in the same way, so only an error
 * soon after a call of subprocess or exec counts. Line by line, since an output may have a million such calls.
 */
function programOfPython(text: string): RegExpExecArray | null {
  if (!text.includes("FileNotFoundError: ")) return null;
  let called = -Infinity;
  for (const [index, line] of text.split("\n").entries()) {
    const found =
      /^.{0,40}?FileNotFoundError: .{0,200}No such file or directory: '(?:\w+-linux-gnu-)?([\w+.@-]+)'/.exec(line);
    if (found !== null && index - called <= linesBetween + 1) return found;
    if (/child_exception_type|subprocess\.py|_execute_child|os\.exec|\bexecvpe?\b/.test(line)) called = index;
  }
  return null;
}

/** Returns advice for up to two known causes; undefined if there is none. */
export function failureAdvice(output: string): string | undefined {
  const text = plainText(output);
  const matched = known.flatMap(({ pattern, advice }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [advice(found[1] ?? "")];
  });
  return matched.length === 0 ? undefined : [...new Set(matched)].slice(0, toldCauses).join("; and ");
}

const toldCauses = 2;
