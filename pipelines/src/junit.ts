/** One test, as a runner without JUnit XML of its own told it. */
interface Case {
  suite: string;
  name: string;
  verdict: "passed" | "failed" | "skipped";
  tookS: number;
}

/** JUnit XML out of what `go test -v` printed. */
export function goJunit(output: string): string {
  const cases: Case[] = [];
  let open: Case[] = [];
  for (const line of output.split("\n")) {
    const test = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)/.exec(line);
    if (test !== null) {
      const verdict = test[1] === "PASS" ? "passed" : test[1] === "FAIL" ? "failed" : "skipped";
      open.push({ suite: "", name: test[2] ?? "", verdict, tookS: Number(test[3]) });
    }
    // A package is named when it has ended.
    const ended = /^(?:ok|FAIL)\s+(\S+)\s/.exec(line);
    if (ended !== null) {
      cases.push(...open.map((each) => ({ ...each, suite: ended[1] ?? "" })));
      open = [];
    }
  }
  return junitXml([...cases, ...open]);
}

/** JUnit XML out of what `cargo test` printed. */
export function cargoJunit(output: string): string {
  const verdicts = { ok: "passed", FAILED: "failed", ignored: "skipped" } as const;
  return junitXml(
    [...output.matchAll(/^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)/gm)].map(
      ([, path = "", verdict]) => {
        const at = path.lastIndexOf("::");
        return {
          suite: at < 0 ? "tests" : path.slice(0, at),
          name: path.slice(at < 0 ? 0 : at + 2),
          verdict: verdicts[verdict as keyof typeof verdicts],
          tookS: 0,
        };
      },
    ),
  );
}

function junitXml(cases: readonly Case[]): string {
  const suites = [...new Set(cases.map(({ suite }) => suite))];
  const lines = suites.flatMap((name) => {
    const own = cases.filter(({ suite }) => suite === name);
    const count = (verdict: Case["verdict"]): number => own.filter((each) => each.verdict === verdict).length;
    return [
      `  <testsuite name="${escape(name)}" tests="${own.length}" failures="${count("failed")}" skipped="${count("skipped")}">`,
      ...own.map(
        (each) =>
          `    <testcase classname="${escape(name)}" name="${escape(each.name)}" time="${each.tookS}"${inner(each)}`,
      ),
      "  </testsuite>",
    ];
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...lines, "</testsuites>", ""].join("\n");
}

const inner = ({ verdict }: Case): string =>
  verdict === "passed"
    ? "/>"
    : verdict === "failed"
      ? '><failure message="failed"/></testcase>'
      : "><skipped/></testcase>";
const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
