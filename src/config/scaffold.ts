import type { DetectedPart } from "./detect.ts";

/** The first `fastloop.yaml` of a project: what was found, ready to be edited. */
export function scaffoldConfig(project: string, parts: readonly DetectedPart[]): string {
  const lines = [
    "version: 1",
    `name: ${project}`,
    "",
    "# Kept true by `fastloop watch`: a call runs again when a file of its inputs changes.",
    "watch:",
    "  targets:",
    ...parts.flatMap((part) => [
      `    ${part.name}:`,
      `      call: test --source . --suite ${part.name} --tier ${part.tiers.fast === undefined ? Object.keys(part.tiers)[0] : "fast"}`,
      ...(part.folder === "" ? [] : [`      inputs: [fastloop.yaml, ${quoted(`${part.folder}/`)}]`]),
    ]),
    "",
    "# Each tier adds to the ones before it: `full` runs smoke, fast and full.",
    "tests:",
    "  suites:",
    ...parts.flatMap(suiteLines),
  ];
  return `${lines.join("\n")}\n`;
}

function suiteLines(part: DetectedPart): string[] {
  return [
    `    ${part.name}:`,
    `      preset: ${part.preset}  # found ${part.because}`,
    ...(part.folder === "" ? [] : [`      root: ${quoted(part.folder)}`]),
    ...(part.runner === undefined ? [] : [`      runner: ${part.runner}`]),
    "      tiers:",
    ...Object.entries(part.tiers).map(([tier, command]) => `        ${tier}: ${quoted(command)}`),
  ];
}

const quoted = (text: string): string => (/^[A-Za-z][\w./ -]*$/.test(text) && !/^(?:true|false|null)$/i.test(text) ? text : JSON.stringify(text));
