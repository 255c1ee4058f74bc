/** A test's result, parsed from the output of a runner that writes no JUnit XML. */
interface Case {
  suite: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  tookS: number;
}

/** Converts the output of `go test -v` to JUnit XML. */
export function goJunit(output: string): string {
  const cases: Case[] = [];
  let open: Case[] = [];
  for (const line of output.split("\n")) {
    const test = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)/.exec(line);
    if (test !== null) {
      const outcome = test[1] === "PASS" ? "passed" : test[1] === "FAIL" ? "failed" : "skipped";
      open.push({ suite: "", name: test[2] ?? "", outcome, tookS: Number(test[3]) });
    }
    // The package's name follows the results of its tests.
    const ended = /^(?:ok|FAIL)\s+(\S+)\s/.exec(line);
    if (ended !== null) {
      cases.push(...open.map((each) => ({ ...each, suite: ended[1] ?? "" })));
      open = [];
    }
  }
  return junitXml([...cases, ...open]);
}

/** Converts the output of `cargo test` to JUnit XML. It has no durations, so all are 0 s. */
export function cargoJunit(output: string): string {
  const outcomes = { ok: "passed", FAILED: "failed", ignored: "skipped" } as const;
  return junitXml(
    [...output.matchAll(/^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)/gm)].map(
      ([, path = "", outcome]) => {
        const at = path.lastIndexOf("::");
        return {
          suite: at < 0 ? "tests" : path.slice(0, at),
          name: path.slice(at < 0 ? 0 : at + 2),
          outcome: outcomes[outcome as keyof typeof outcomes],
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
    const count = (outcome: Case["outcome"]): number => own.filter((each) => each.outcome === outcome).length;
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

const inner = ({ outcome }: Case): string =>
  outcome === "passed"
    ? "/>"
    : outcome === "failed"
      ? '><failure message="failed"/></testcase>'
      : "><skipped/></testcase>";
const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
