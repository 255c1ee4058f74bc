/** What a test runner said in the end, in a few words: `9 passed`, `1 failed, 8 passed`; else its last line. */
export function summaryOf(output: string): string {
  const plain = output.replaceAll(colors, "");
  const counts =
    nodeCounts(plain) ??
    vitestCounts(plain) ??
    cargoCounts(plain) ??
    pytestCounts(plain) ??
    goCounts(plain) ??
    jestCounts(plain);
  const lastLine = plain.trimEnd().split("\n").at(-1)?.trim();
  return counts ?? (lastLine || "passed");
}

// eslint-disable-next-line no-control-regex
const colors = /\u001B\[[\d;]*m/g;

function jestCounts(output: string): string | undefined {
  const line = /^Tests:\s+(.*)$/m.exec(output)?.[1];
  if (line === undefined) return undefined;
  return words(Number(/(\d+) passed/.exec(line)?.[1] ?? 0), Number(/(\d+) failed/.exec(line)?.[1] ?? 0));
}

function goCounts(output: string): string | undefined {
  const packages = output.match(/^ok {2}\t\S+/gm)?.length ?? 0;
  return packages === 0 ? undefined : `${packages} ${packages === 1 ? "package" : "packages"} passed`;
}

function nodeCounts(output: string): string | undefined {
  const pass = /^(?:#|ℹ) pass (\d+)$/m.exec(output);
  const fail = /^(?:#|ℹ) fail (\d+)$/m.exec(output);
  return pass === null || fail === null ? undefined : words(Number(pass[1]), Number(fail[1]));
}

function vitestCounts(output: string): string | undefined {
  const line = /^\s*Tests\s+(.*)$/m.exec(output)?.[1];
  if (line === undefined) return undefined;
  return words(Number(/(\d+) passed/.exec(line)?.[1] ?? 0), Number(/(\d+) failed/.exec(line)?.[1] ?? 0));
}

function cargoCounts(output: string): string | undefined {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
  if (results.length === 0) return undefined;
  const sum = (column: number): number => results.reduce((total, result) => total + Number(result[column]), 0);
  return words(sum(1), sum(2));
}

function pytestCounts(output: string): string | undefined {
  const line = output.split("\n").findLast((each) => /\b\d+ (?:passed|failed)\b.* in [\d.]+s\b/.test(each)) ?? "";
  const passed = /(\d+) passed/.exec(line);
  const failed = /(\d+) failed/.exec(line);
  return passed === null && failed === null ? undefined : words(Number(passed?.[1] ?? 0), Number(failed?.[1] ?? 0));
}

const words = (passed: number, failed: number): string =>
  failed > 0 ? `${failed} failed, ${passed} passed` : `${passed} passed`;
