/**
 * Results that test runners print: counts, and which tests failed. All runners are read at once, as scripts mix them.
 */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  /** Packages that go reports as passed without naming tests. */
  packages: number;
}

/** One runner's summary: a pattern for each line that has counts, and patterns for the counts. */
interface Summary {
  line: RegExp;
  passed?: RegExp;
  failed?: RegExp;
  skipped?: RegExp;
}

// oxlint-disable-next-line no-control-regex -- these are what is taken out
const sequences = /\u001b\[[0-9;:?]*[A-Za-z]/g;
/** Removes the sequences that only a terminal obeys. */
export const plainText = (output: string): string => output.replaceAll(sequences, "").replaceAll("\r\n", "\n");

const inWords = {
  passed: /(?<!\d)(\d+) passed/,
  failed: /(?<!\d)(\d+) failed/,
  skipped: /(?<!\d)(\d+) (?:skipped|ignored)/,
};
const pytest = /^(?:=+ )?(?:\d+ \w+, )*\d+ (?:passed|failed|skipped|errors?)\b.* in [\d.]+s\b.*$/gm;
const summaries: Summary[] = [
  // node:test and TAP: one line for each number.
  { line: /^(?:#|ℹ) pass\s+\d+$/gm, passed: /(\d+)/ },
  { line: /^(?:#|ℹ) fail\s+\d+$/gm, failed: /(\d+)/ },
  { line: /^(?:#|ℹ) skipped\s+\d+$/gm, skipped: /(\d+)/ },
  // vitest, jest
  { line: /^ *Tests\s+\d+ \w+(?: \| \d+ \w+)*.*$/gm, ...inWords },
  { line: /^Tests:\s+(?=\S).*(?<!\d)\d+ total$/gm, ...inWords },
  // mocha, ava
  { line: /^ +\d+ passing \(.*\)$/gm, passed: /(\d+)/ },
  { line: /^ +\d+ failing$/gm, failed: /(\d+)/ },
  { line: /^ +\d+ pending$/gm, skipped: /(\d+)/ },
  { line: /^ +\d+ tests? passed\b.*$/gm, passed: /(\d+)/ },
  { line: /^ +\d+ tests? failed\b.*$/gm, failed: /(\d+)/ },
  { line: /^ +\d+ tests? skipped\b.*$/gm, skipped: /(\d+)/ },
  // pytest; a test that cannot be collected or set up counts as an error and has not passed.
  { line: pytest, ...inWords },
  { line: pytest, failed: /(?<!\d)(\d+) errors?\b/ },
  // cargo, cargo nextest, deno
  { line: /^test result: \w+\. .*$/gm, ...inWords },
  { line: /^ *Summary \[.*\] \d+(?:\/\d+)? tests? run: .*$/gm, ...inWords },
  { line: /^(?:ok|FAILED) \| .*$/gm, ...inWords },
  // go test -v
  { line: /^--- PASS: /gm, passed: /()/ },
  { line: /^--- SKIP: /gm, skipped: /()/ },
];

/** Returns the total counts of all runners in an output; undefined if there are none. */
export function testCounts(output: string): TestCounts | undefined {
  const plain = plainText(output);
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0, packages: 0 };
  let isTold = false;
  for (const { line, ...numbers } of summaries) {
    for (const [text] of plain.matchAll(line)) {
      isTold = true;
      for (const [key, pattern] of Object.entries(numbers) as ["passed" | "failed" | "skipped", RegExp][]) {
        const found = pattern.exec(text)?.[1];
        // `--- PASS:` has no number; each line counts one.
        if (found !== undefined) counts[key] += found === "" ? 1 : Number(found);
      }
    }
  }
  for (const [, tests, summary = ""] of plain.matchAll(/^Ran (\d+) tests? in [\d.]+s\n\n((?:OK|FAILED).*)/gm)) {
    isTold = true;
    const failed = [...summary.matchAll(/(?:failures|errors)=(\d+)/g)].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    );
    const skipped = Number(/skipped=(\d+)/.exec(summary)?.[1] ?? 0);
    counts.failed += failed;
    counts.skipped += skipped;
    counts.passed += Number(tests) - failed - skipped;
  }
  const failedGo = plain.match(/^--- FAIL: /gm)?.length ?? 0;
  counts.failed += failedGo;
  counts.packages = plain.match(/^ok {2}\t\S+/gm)?.length ?? 0;
  return isTold || failedGo > 0 || counts.packages > 0 ? counts : undefined;
}

/** Formats counts: `297 passed`, `1 failed, 8 passed, 2 skipped`, `3 packages passed`. */
export function countsText({ passed, failed, skipped, packages }: TestCounts): string {
  if (passed + failed + skipped === 0 && packages > 0)
    return `${packages} ${packages === 1 ? "package" : "packages"} passed`;
  return [failed > 0 && `${failed} failed`, `${passed} passed`, skipped > 0 && `${skipped} skipped`]
    .filter((part) => part !== false)
    .join(", ");
}

/** Returns the names of failed tests in the order of the output, each once. */
export function failedTests(output: string): string[] {
  const plain = plainText(output);
  const found = failures.flatMap((find) => find(plain)).map((name) => name.trim());
  const names = [...new Set(found)];
  // Runners with nested tests also report the outer ones.
  const outer = outerOf(names.toSorted());
  return names.filter((name) => !outer.has(name));
}

/** Returns the names that others continue after a slash; sorted names are searched, as an output may have a million. */
function outerOf(sorted: readonly string[]): ReadonlySet<string> {
  return new Set(
    sorted.filter((name) => {
      const inner = `${name}/`;
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle]! < inner) low = middle + 1;
        else high = middle;
      }
      return sorted[low]?.startsWith(inner) === true;
    }),
  );
}

const each = (pattern: RegExp, name = (match: RegExpExecArray): string => match[1] ?? "") => {
  return (text: string): string[] => [...text.matchAll(pattern)].map((match) => name(match));
};

const failures: ((text: string) => string[])[] = [
  // node:test prints the location of the test, then its name.
  each(/^test at (\S+?):\d+:\d+\n✖ (.*?) \([\d.]+m?s\)$/gm, ([, file, name]) => `${file}: ${name}`),
  // TAP: a test that failed only because of its subtests does not count itself.
  (text) =>
    [...text.matchAll(/^ *not ok \d+ - (.+)\n((?:(?!^ *(?:not )?ok ).*\n)*)/gm)].flatMap(([, name = "", block = ""]) =>
      block.includes("subtestsFailed") || name.includes("# TODO") ? [] : [name],
    ),
  // vitest and jest
  each(/^ *FAIL\s+(?:\|[^|]+\|\s+|\S+ {2})?(\S.* > .*?)$/gm),
  each(/^ *FAIL\s+(?:\|[^|]+\|\s+|\S+ {2})?(\S+) \[ \1 \]$/gm),
  each(/^ {2}● ((?!Console\b).*)$/gm),
  // mocha numbers its failures, with the test's name below that of its suite.
  (text) => {
    const start = text.search(/^ +\d+ failing$/m);
    if (start < 0) return [];
    return [...text.slice(start).matchAll(/^ {2}\d+\) (.+)\n((?: {7,}\S.*\n)*)/gm)].map(([, first = "", rest = ""]) =>
      [first, ...rest.split("\n")]
        .map((part) => part.trim().replace(/:$/, ""))
        .filter((part) => part !== "")
        .join(" › "),
    );
  },
  each(/^ +✘ \[fail\]: (.*?)(?: \([\d.]+m?s\))?$/gm),
  // pytest and unittest
  each(/^(?:FAILED|ERROR) (\S+\.py(?:::\S+)?)(?: - .*)?$/gm),
  each(/^(?:FAIL|ERROR): (\S+ \(\S+\))/gm),
  // go, cargo, cargo nextest
  each(/^ *--- FAIL: (\S+) \(/gm),
  each(/^FAIL\t(\S+ \[(?:build|setup) failed\])$/gm),
  each(/^test (\S+)(?: - .*)? \.\.\. FAILED$/gm),
  each(/^ *FAIL \[\s*[\d.]+s\] (?:\(.*?\) )?(\S+ \S+)$/gm),
];
