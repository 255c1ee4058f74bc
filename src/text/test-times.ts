/** Durations of single tests, if a runner prints them. */
import { plainText } from "./test-output.ts";

const unitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };
const ms = (value: string | undefined, unit: string | undefined): number =>
  Number(value ?? 0) * (unitsMs[unit ?? "s"] ?? 1);

/** A line format: name of the test and its time. */
const forms: { line: RegExp; read(match: RegExpExecArray): [name: string, ms: number] }[] = [
  // go test -v
  { line: /^ *--- (?:PASS|FAIL): (\S+) \(([\d.]+)s\)$/gm, read: ([, name = "", value]) => [name, ms(value, "s")] },
  // pytest --durations
  {
    line: /^([\d.]+)s (?:call|setup|teardown) +(\S+::.+)$/gm,
    read: ([, value, name = ""]) => [name, ms(value, "s")],
  },
  // cargo nextest
  {
    line: /^ *(?:PASS|FAIL) \[ *([\d.]+)s\] (?:\(.*?\) )?(\S+ \S+)$/gm,
    read: ([, value, name = ""]) => [name, ms(value, "s")],
  },
  // node:test, jest, mocha, vitest: a mark, the name, and the time, possibly in parentheses. Lines of whole files have
  // counts.
  {
    line: /^ *[✓✔✖×✗] +(?:\|[^|]+\|\s+)?(\S(?:.*?\S)?) +\(?([\d.]+) ?(ms|s|m)\)?$/gm,
    read: ([, name = "", value, unit]) => [name, ms(value, unit)],
  },
];

const ofFile = /\(\d+ tests?(?: \| [^()]*)?\)$/;

/** Returns each test once, with the longest time printed for it, in milliseconds. */
export function testTimes(output: string): [name: string, ms: number][] {
  const plain = plainText(output);
  const found = new Map<string, number>();
  for (const { line, read } of forms) {
    for (const match of plain.matchAll(line)) {
      const [name, took] = read(match);
      if (ofFile.test(name) || !Number.isFinite(took)) continue;
      found.set(name, Math.max(found.get(name) ?? 0, Math.round(took * 10) / 10));
    }
  }
  return [...found];
}
