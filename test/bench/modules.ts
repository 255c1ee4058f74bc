/** What dependencies cost: one function through three modules, beside the same function without any. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cliFile } from "./cli.ts";
import { median } from "./stats.ts";
import type { Bench, Row } from "./types.ts";

/** What an earlier run of the benchmark made is still kept: the sources of this one are others. */
const mark = String(Date.now());

const chain = ["first", "second", "third", "deepest"] as const;

export const modulesBench: Bench = {
  name: "modules",
  summary: "load and call of a module with three dependencies, one below the other, beside the same without",
  run: ({ note, words }) => {
    const rounds = Number(words[0] ?? 9);
    const root = mkdtempSync(path.join(tmpdir(), "fastloop-bench-modules-"));
    try {
      makeModules(root);
      return Promise.resolve(measure(root, rounds, note));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};

function measure(root: string, rounds: number, note: (text: string) => void): Row[] {
  const run = (folder: string, ...args: string[]): number => {
    const startedMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [cliFile, ...args], {
      cwd: path.join(root, folder),
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`fastloop ${args.join(" ")} in ${folder}: ${stderr}`);
    return performance.now() - startedMs;
  };
  const call = ["call", "-s", "--no-cache", "hello"];
  // The engine starts, and what is compiled is kept.
  for (const folder of ["first", "alone"]) run(folder, ...call);
  const cases: {
    name: string;
    folders: [string, string];
    args: string[];
    before?(round: number): void;
    aim?: number;
  }[] = [
    {
      name: "functions, sources never seen",
      folders: ["first", "alone"],
      args: ["functions"],
      before: (round) => editAll(root, `cold ${mark} ${round}`),
    },
    { name: "functions, warm", folders: ["first", "alone"], args: ["functions"], aim: 1.5 },
    { name: "call, warm", folders: ["first", "alone"], args: call, aim: 1.5 },
    {
      name: "call after an edit in the deepest",
      folders: ["first", "alone"],
      args: call,
      before: (round) => {
        for (const folder of ["deepest", "alone"]) edit(root, folder, `edit ${mark} ${round}`);
      },
    },
  ];
  note(`${rounds} rounds each, in turns`);
  return cases.map(({ name, folders: [with3, without], args, before, aim }): Row => {
    const [times, reference]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      before?.(round);
      times.push(run(with3, ...args));
      reference.push(run(without, ...args));
    }
    const [value, peer] = [median(times), median(reference)];
    const ratio = value / peer;
    return {
      case: name,
      value,
      unit: "ms",
      reference: peer,
      ratio,
      against: "no dependency",
      ...(aim === undefined ? {} : { aim: `< ${aim}x`, met: ratio < aim }),
    };
  });
}

const textOf = (index: number, note: string): string => {
  const [name, next] = [chain[index]!, chain[index + 1]];
  const body = next === undefined ? `return "hello"` : `return dag.${next}().hello()`;
  return moduleText(name, body, note);
};

function moduleText(name: string, body: string, note: string): string {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  return `import { dag, func, object } from "@dagger.io/dagger"
// ${note}
@object()
export class ${type} {
  @func()
  async hello(): Promise<string> { void dag; ${body} }
}
`;
}

function makeModules(root: string): void {
  mkdirSync(path.join(root, ".git"));
  for (const name of [...chain, "alone"]) {
    const next = chain[chain.findIndex((each) => each === name) + 1];
    const dependencies = name === "alone" || name === "deepest" ? [] : [{ name: next, source: `../${next}` }];
    mkdirSync(path.join(root, name, "src"), { recursive: true });
    writeFileSync(
      path.join(root, name, "dagger.json"),
      JSON.stringify({ name, engineVersion: "v0.21.4", sdk: { source: "typescript" }, dependencies }),
    );
  }
  editAll(root, "made");
}

function editAll(root: string, note: string): void {
  for (const name of [...chain, "alone"]) edit(root, name, note);
}

function edit(root: string, name: string, note: string): void {
  const index = chain.findIndex((each) => each === name);
  const text = index < 0 ? moduleText(name, `return "hello"`, note) : textOf(index, note);
  writeFileSync(path.join(root, name, "src/index.ts"), text);
}
