/** `fastloop demo`: demonstrates the loop on a copy of examples/shop; `npm start` runs it. */
import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { Option, type Command } from "commander";
import { ExitCode } from "../../errors/index.ts";
import { duration, shortName } from "../../report/index.ts";
import { Loop, type LoopOptions } from "../../run/index.ts";
import { temporaryFolder } from "../../state/index.ts";
import { packageFolder } from "../checkout.ts";
import type { CliContext } from "../context.ts";
import { StoryPrinter } from "../demo/print.ts";
import { differences, observe } from "../demo/scenes.ts";
import { chapters, edit } from "../demo/story.ts";
import { stopOnSignal } from "../loop-options.ts";

/** The first run builds all images and installs all dependencies. */
const coldPatienceMs = 15 * 60_000;
const patienceMs = 3 * 60_000;

export function register(program: Command, context: CliContext): void {
  program
    .command("demo")
    .summary("demonstrate the loop on the example project")
    .description(
      "Demonstrate the loop on a copy of examples/shop: a cold run, a run with nothing to do, and edits that rerun only what they affect. On a terminal, then watch examples/shop itself.",
    )
    .addOption(new Option("--once", "stop after the demo, also on a terminal"))
    .action((flags: { once?: boolean }) => demo(context, flags.once === true));
}

async function demo(context: CliContext, once: boolean): Promise<void> {
  const { signal } = context;
  const root = packageFolder("examples/shop/fastloop.yaml");
  const copy = temporaryFolder("demo");
  try {
    await cp(path.join(root, "examples/shop"), copy, { recursive: true, filter: (file) => !isLocal(file) });
    const options: LoopOptions = {
      cwd: copy,
      moduleDir: root,
      environment: context.env,
      engine: context.options.engine,
      buildkitHost: context.options.buildkitHost,
      command: "fastloop demo",
    };
    const asTold = await tell(context, options, copy);
    signal.throwIfAborted();
    process.exitCode = asTold ? ExitCode.passed : ExitCode.failed;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  if (once || !context.stdout.isTTY || process.exitCode !== ExitCode.passed) return;
  const shop = path.join(root, "examples/shop");
  context.print(
    `\nNow it is yours: watching ${path.relative(context.cwd, shop) || shop}. Edit a file there; Ctrl-C ends it.\n`,
  );
  context.cwd = shop;
  const { watch } = await import("./watch.ts");
  await watch(context, [], {});
}

/** Runs the demo; returns false when any result differs from the story. */
async function tell(context: CliContext, options: LoopOptions, root: string): Promise<boolean> {
  const print = new StoryPrinter((line) => context.print(`${line}\n`), context.colors("stdout"));
  print.line(
    "fastloop keeps examples/shop true: lib (TypeScript), api (uses lib), worker (Python), each tested in containers.",
  );
  let asTold = true;
  const judge = (problems: string[]): void => {
    for (const problem of problems) print.problem(problem);
    asTold &&= problems.length === 0;
  };

  print.heading("the first run: everything");
  const all = await coldRun(context, options, print);
  judge(differences({ runs: { lib: "passed", api: "passed", worker: "passed" } }, all));

  print.heading("the same again: nothing changed, nothing is executed");
  const again = await repeatRun(context, options, print);
  judge(again);

  const loop = new Loop({ ...options, command: "fastloop demo (watch)" });
  const stop = stopOnSignal(context, loop);
  try {
    await loop.start();
    for (const chapter of chapters) {
      context.signal.throwIfAborted();
      print.heading(chapter.title);
      print.edit(chapter.file, chapter.replace, chapter.by);
      const scene = await observe(loop, () => edit(root, chapter), patienceMs);
      const concerned = new Set([...Object.keys(chapter.runs), ...(chapter.blocked ?? [])]);
      print.scene(
        scene,
        ["lib", "api", "worker"].filter((name) => !concerned.has(name)),
      );
      judge(differences(chapter, scene));
    }
  } finally {
    stop();
    await loop.stop();
  }
  print.line(asTold ? "\nEverything went as described." : "\nThe demo did not go as described.");
  return asTold;
}

async function coldRun(
  context: CliContext,
  options: LoopOptions,
  print: StoryPrinter,
): Promise<Awaited<ReturnType<typeof observe>>> {
  const loop = new Loop(options);
  const stop = stopOnSignal(context, loop);
  loop.on((notice) => {
    if (notice.kind === "engine") print.line(`   engine: ${notice.engine.version}`);
    else if (notice.kind === "notice") context.notice(`   ${notice.text}`);
    else if (notice.kind === "still-running")
      context.notice(
        `   … ${notice.name} for ${duration(notice.runningMs)}${notice.step === undefined ? "" : `: ${shortName(notice.step)}`}`,
      );
  });
  try {
    // In watch mode the loop reports when everything has settled.
    const scene = await observe(loop, () => loop.start(), coldPatienceMs);
    print.scene(scene, []);
    return scene;
  } finally {
    stop();
    await loop.stop();
  }
}

async function repeatRun(context: CliContext, options: LoopOptions, print: StoryPrinter): Promise<string[]> {
  const startedMs = performance.now();
  const loop = new Loop(options);
  const stop = stopOnSignal(context, loop);
  try {
    const summary = await loop.runAll();
    print.line(`   · ${summary.current.join(", ")}: current`);
    print.line(`   verdict after ${duration(performance.now() - startedMs)}`);
    return [...summary.results.keys()].map((name) => `${name} ran again`);
  } finally {
    stop();
    await loop.stop();
  }
}

/** Files of a checkout that are not the project's own. */
const isLocal = (file: string): boolean =>
  ["node_modules", ".fastloop", "__pycache__", ".venv"].includes(path.basename(file));
