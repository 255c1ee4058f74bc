/** A file is the same input whatever it is called, and its name moves no cursor and ends no line in what is told of it. */
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventsOf, FileProject } from "./file-project.ts";

const names = [
  "new\nline",
  "tab\tand\rreturn",
  'dou"ble',
  "sin'gle",
  "back\\slash",
  "\u001b[31mred\u001b[0m",
  "\u2028separator\u202e",
  "caf\u00e9",
  "cafe\u0301",
  "😀",
  "-dash",
  "--help",
  ":(top)colon",
  "star*",
  "wh?t",
  "[id]",
  "{a,b}",
  "!bang",
  "#hash",
  " lead",
  "trail ",
  "per%0Acent::error::",
  "$(touch x)",
  "a,b:1:2",
  "<&>]]>",
  "x".repeat(250),
];

/** As an entry of `inputs` that means this very name. */
const entry = (name: string): string => `odd/${name.replaceAll(/[*?[\]\\]/g, "\\$&").replace(/ $/, "[ ]")}`;

let project: FileProject;

beforeEach(() => {
  const targets = [
    'whole: { call: "raw --source odd" }',
    `named: { call: "cat --source . --file src/a.txt", inputs: ${JSON.stringify(names.map(entry))} }`,
    'below: { call: "cat --source . --file src/a.txt", inputs: [odd/] }',
  ];
  const files = Object.fromEntries(names.map((name) => [`odd/${name}`, "one\n"]));
  project = new FileProject(targets, { ...files, "src/a.txt": "a" });
  project.commitAll();
});
afterEach(() => project.remove());

/** Nothing but lines of ours. */
function isPrintable(text: string): void {
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
}

interface Told {
  name: string;
  reasons: { kind: string; path?: string; change?: string }[];
}
const pathsOf = (told: readonly Told[], name: string, change: string): string[] =>
  told
    .find((target) => target.name === name)!
    .reasons.flatMap((reason) => (reason.kind === "file" && reason.change === change ? [reason.path!] : []))
    .sort();

describe("names that read as something else", () => {
  test("are named, counted and told in validate, run, plan, why and affected", async () => {
    expect((await project.run("validate", "--json")).stdout).toContain('"warnings":[]');
    const run = await project.run("run", "--json");
    expect(run.exitCode).toBe(0);
    isPrintable(run.stdout);
    const whole = eventsOf(run.stdout).find(({ event, name }) => event === "finished" && name === "whole");
    expect(whole!["value"]).toBe([...names].sort(byBytes).join(" ").trim());
    expect((await project.run("run")).stdout).toContain("3 current");

    const paths = names.map((name) => `odd/${name}`).sort();
    const edits: [string, () => void][] = [
      ["changed", () => names.forEach((name) => project.write(`odd/${name}`, "two\n"))],
      ["removed", () => names.forEach((name) => rmSync(project.at(`odd/${name}`)))],
    ];
    for (const [change, edit] of edits) {
      edit();
      const plan = await project.run("plan", "--json");
      const { functions } = JSON.parse(plan.stdout) as { functions: Told[] };
      for (const name of ["whole", "named", "below"]) expect(pathsOf(functions, name, change), name).toEqual(paths);
      const affected = await project.run("affected", "--since", "HEAD", "--json");
      const { targets } = JSON.parse(affected.stdout) as { targets: Told[] };
      for (const name of ["whole", "named", "below"]) expect(pathsOf(targets, name, change), name).toEqual(paths);
      for (const words of [
        ["plan", "-v"],
        ["why", "named"],
        ["affected", "--since", "HEAD"],
        ["run", "whole", "-v"],
      ])
        isPrintable((await project.run(...words)).stdout);
      isPrintable(plan.stdout);
      isPrintable(affected.stdout);
      project.git("checkout", "-q", "HEAD", "--", "odd");
    }
    expect((await project.run("plan", "named")).stdout).toContain("current");
    names.forEach((name) => renameSync(project.at(`odd/${name}`), project.at(`src/${name}`)));
    project.git("add", "-A");
    const { stdout } = await project.run("affected", "--since", "HEAD", "--json");
    expect(pathsOf((JSON.parse(stdout) as { targets: Told[] }).targets, "named", "removed")).toEqual(paths);
  });

  test("are seen by a watch when they are written, replaced by a link and deleted", { timeout: 300_000 }, async () => {
    const watch = project.start("watch");
    await watch.next("settled");
    for (const name of names) {
      const file = project.at(`odd/${name}`);
      const steps: [string, () => void][] = [
        ["changed", () => writeFileSync(file, `${Math.random()}\n`)],
        ["changed", () => (rmSync(file), symlinkSync("../src/a.txt", file))],
        ["removed", () => rmSync(file)],
      ];
      for (const [change, step] of steps) {
        const from = watch.events.length;
        step();
        await watch.until((events) => {
          const since = events.slice(from);
          const started = since.filter(({ event }) => event === "started").map((event) => event.name);
          return started.includes("named") && started.includes("below") && since.at(-1)!.event === "settled";
        });
        const reasons = watch.events
          .slice(from)
          .flatMap((event) =>
            event.event === "started" && event.name === "named" ? (event["reasons"] as Told["reasons"]) : [],
          );
        expect(reasons).toContainEqual({ kind: "file", change, path: `odd/${name}` });
      }
    }
  });

  test("are what a failure says, in annotations, JUnit and a log", async () => {
    const name = "new\nline::error::x,y";
    project.write(`odd/${name}`, "broken");
    project.configure([`bad: { call: ${JSON.stringify(`cat --source . --file "odd/${name}"`)}, inputs: [odd/] }`]);
    const { stdout, exitCode } = await project.run("run", "--format", "github", "--junit", "junit.xml");
    expect(exitCode).toBe(1);
    isPrintable(stdout);
    expect(stdout.match(/^::error/gm)).toHaveLength(1);
    expect(stdout).toMatch(/^::error [^:]*title=bad failed in [^:]*::it says broken/m);
    expect(readFileSync(project.at("junit.xml"), "utf8")).toContain('failures="1"');
  });

  test("that are no UTF-8 are not sent, and that is said", async () => {
    const file = Buffer.concat([Buffer.from(project.at("odd/bad-")), Buffer.from([0xff, 0xfe])]);
    writeFileSync(file, "x");
    const { stdout, exitCode } = await project.run("run");
    expect(exitCode).toBe(0);
    isPrintable(stdout);
    expect(stdout).toMatch(
      /odd\/bad-.* cannot be read \(its name is not valid UTF-8\); what is in it counts as absent/,
    );
    writeFileSync(file, "y");
    expect((await project.run("run")).stdout).toContain("3 current");
  });
});

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
