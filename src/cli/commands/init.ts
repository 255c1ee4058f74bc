/**
 * `fastloop init`: writes a first fastloop.yaml from what is detected; on request also a module, CI files and a
 * Makefile.
 */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Option, type Command } from "commander";
import { ownModule } from "../../config/index.ts";
import {
  detectDeploy,
  detectProject,
  readProjectFiles,
  scaffoldConfig,
  wantsSingleQuotes,
  type Detection,
  type ProjectFiles,
} from "../../detect/index.ts";
import { UserError } from "../../errors/index.ts";
import { findModule } from "../../module/index.ts";
import { isReallyInside, lstatIfThere } from "../../paths/index.ts";
import { packageFolder } from "../checkout.ts";
import { canAsk, confirm } from "../trust/confirm.ts";
import type { CliContext } from "../context.ts";
import { bootstrappedImages } from "../init/available-images.ts";
import { ciFile, ciNames, ciPath, type CiName } from "../init/ci.ts";
import { ciOptions } from "../init/ci-options.ts";
import { originOf } from "../init/origin.ts";
import { makefile, makefileOptions } from "../init/makefile.ts";
import { findServices } from "../init/services.ts";
import { manifestNames, scaffoldModule, type ManifestName } from "../init/module.ts";

interface InitFlags {
  dryRun?: boolean;
  /** Name of the manifest to write; `true` stands for dagger.json. */
  module?: ManifestName | true;
  make?: boolean;
  ci?: CiName[];
  ciCalls?: "fastloop" | "dagger";
  yes?: boolean;
}

interface WrittenFile {
  path: string;
  text: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("init")
    .summary("write a first fastloop.yaml from what the repository contains")
    .description(
      "Write a first fastloop.yaml from the manifests, lock files and scripts that it finds. Never overwrites a file.",
    )
    .addOption(new Option("--dry-run", "print what would be written"))
    .addOption(
      new Option(
        "--module [manifest]",
        "also write a Dagger module of your own in pipelines/, from fastloop's building blocks, with a dagger.json (the default) or Dagger 1.0's dagger-module.toml",
      ).choices([...manifestNames]),
    )
    .addOption(
      new Option(
        "--make",
        "write a Makefile whose targets run commands: dev, dev-test, dev-shell, cluster, clean, help",
      ),
    )
    .addOption(new Option("--ci <names...>", "write workflow files that only call functions").choices([...ciNames]))
    .addOption(
      new Option("--ci-calls <program>", "what these files call: fastloop, or dagger on a runner that has an engine")
        .choices(["fastloop", "dagger"])
        .default("fastloop"),
    )
    .addOption(new Option("-y, --yes", "ask nothing, and use what was found (as without a terminal)"))
    .addHelpText(
      "after",
      "\nExamples:\n  fastloop init --dry-run\n  fastloop init --module --ci github\n  fastloop init --make",
    )
    .action((flags: InitFlags) => init(context, flags));
}

async function init(context: CliContext, given: InitFlags): Promise<void> {
  const root = context.cwd;
  const { told, ...flags } = await chosen(context, given);
  const callsDagger = flags.ciCalls === "dagger";
  if (callsDagger && flags.module === undefined && !manifestNames.some((name) => existsSync(path.join(root, name))))
    throw new UserError("usage", "dagger call needs a module in the repository", {
      place: "--ci-calls dagger",
      hint: "add --module, which writes one",
    });
  const names = [...new Set(flags.ci)];
  const files: WrittenFile[] = [];
  let found: Detection | undefined;
  let first: string | undefined;
  let hasServices = false;
  if (lstatIfThere(path.join(root, "fastloop.yaml")) === undefined) {
    const tree = readProjectFiles(root);
    found = told ?? detect(tree);
    const project = projectName(root);
    const deploy = detectDeploy(tree, project);
    // A base that CI can publish can be pulled by everyone.
    const { imageRepository } = names.length === 0 ? {} : originOf(root);
    const baseRegistry = imageRepository === undefined ? undefined : `${imageRepository}/base`;
    const services = await findServices(tree, found.suites);
    if (found.suites.length === 0 && Object.keys(services?.services ?? {}).length === 0) throw nothingFound(found);
    const written = Object.keys(services?.services ?? {}).length > 0 ? services : undefined;
    hasServices = written !== undefined;
    found = { ...found, notes: [...found.notes, ...(services?.notes ?? [])] };
    first = scaffoldConfig(
      {
        project,
        module: moduleKey(root, context, flags),
        baseRegistry,
        deploy,
        services: written,
        singleQuotes: wantsSingleQuotes(tree),
      },
      found,
    );
    files.push({ path: "fastloop.yaml", text: first });
  } else if (names.length === 0 && flags.module === undefined && flags.make !== true) {
    throw new UserError("usage", "fastloop.yaml already exists", {
      place: "fastloop.yaml",
      hint: "init never overwrites; --module, --ci and --make add to it",
    });
  }
  if (names.length > 0) {
    const ci = await ciOptions(root, { callsDagger, first });
    files.push(...names.map((name) => ciFile(name, ci)));
  }
  if (flags.make === true) files.push({ path: "Makefile", text: makefile(await makefileOptions(root, first)) });
  const taken = [
    ...files.map((file) => file.path),
    ...(flags.module === undefined ? [] : [...manifestNames, "pipelines"]),
  ].find((file) => lstatIfThere(path.join(root, file)) !== undefined);
  if (taken !== undefined) throw new UserError("usage", "already exists; init never overwrites", { place: taken });
  const outside = files.find((file) => !isReallyInside(root, path.dirname(path.join(root, file.path))));
  if (outside !== undefined)
    throw new UserError("usage", "a link on its way leaves this folder; nothing was written", { place: outside.path });
  const written = flags.dryRun === true ? [] : await write(root, files, flags);
  const notes = found?.notes ?? [];
  if (context.options.json) {
    context.printJson({ dryRun: flags.dryRun === true, files, module: flags.module !== undefined, notes });
    return;
  }
  if (flags.dryRun === true) {
    for (const file of files) context.print(`# ${file.path}\n${file.text}\n`);
    if (flags.module !== undefined)
      context.print(`# ${manifestOf(flags.module)} and pipelines/: a module of the project's own\n`);
  }
  for (const file of written) context.print(`wrote ${file}\n`);
  if (told === undefined) context.print(listed(found?.suites ?? []));
  for (const note of notes) context.notice(`note: ${note}`);
  if (flags.dryRun === true) return;
  const others = hasServices ? "; `fastloop up` starts its services" : "";
  const isTested = (found?.suites.length ?? 1) > 0;
  context.print(isTested ? `next: \`fastloop run\`, then \`fastloop watch\`${others}\n` : "next: `fastloop up`\n");
}

/** Asks the user for choices that can't be detected, if there is a terminal and no option has made them. */
async function chosen(context: CliContext, flags: InitFlags): Promise<InitFlags & { told?: Detection }> {
  const isFirst = !existsSync(path.join(context.cwd, "fastloop.yaml"));
  const isSaid =
    flags.yes === true ||
    flags.dryRun === true ||
    flags.module !== undefined ||
    flags.make === true ||
    flags.ci !== undefined;
  if (!isFirst || isSaid || !canAsk(context)) return flags;
  const told = detect(readProjectFiles(context.cwd));
  context.print(`found\n${listed(told.suites)}`);
  const hasModule = moduleKey(context.cwd, context, flags) === undefined;
  const module =
    !hasModule && (await confirm(context, "A module of your own in pipelines/? Without one, fastloop's is used."));
  const name = ciOf(context.cwd);
  const wantsCi = name !== undefined && (await confirm(context, `Write ${ciPath(name)}, which runs the tests in CI?`));
  return { ...flags, told, ...(module ? { module: true as const } : {}), ...(wantsCi ? { ci: [name] } : {}) };
}

/** Returns a line for each part that has tests. */
const listed = (suites: Detection["suites"]): string =>
  suites.map(({ name, because, tiers }) => `  ${name}: ${because}, ${Object.keys(tiers).join(", ")}\n`).join("");

/** Returns the CI system that the repository uses, unless its fastloop file exists already. */
function ciOf(root: string): CiName | undefined {
  const has = (file: string): boolean => existsSync(path.join(root, file));
  const name = has(".github") ? "github" : has(".circleci") ? "circleci" : has(".buildkite") ? "buildkite" : undefined;
  return name === undefined || has(ciPath(name)) ? undefined : name;
}

const detect = (files: ProjectFiles): Detection => detectProject(files, bootstrappedImages());

const nothingFound = ({ notes }: Detection): UserError =>
  new UserError("usage", "nothing that fastloop can test or start was found here", {
    detail: notes.join("\n"),
    hint: "it knows packages of npm, pnpm, yarn, bun, pip, uv, poetry, pdm, go and cargo, tests of CMake, Meson, autotools and make, and compose files; write fastloop.yaml by hand (docs/configuration.md)",
  });

/** Returns fastloop's own module, unless the repository has one or `--module` creates it. */
function moduleKey(root: string, context: CliContext, flags: InitFlags): string | undefined {
  if (flags.module !== undefined || context.options.module !== undefined) return undefined;
  try {
    findModule(root);
    return undefined;
  } catch {
    return ownModule;
  }
}

async function write(root: string, files: readonly WrittenFile[], flags: InitFlags): Promise<string[]> {
  for (const { path: name, text } of files) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    try {
      await writeFile(file, text, { flag: "wx" });
    } catch (error) {
      // A file that a full disk cut short would keep the next `init` from writing it.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(file, { force: true });
      throw error;
    }
  }
  const module =
    flags.module === undefined
      ? []
      : await scaffoldModule(packageFolder("pipelines/src/index.ts"), root, {
          name: moduleName(projectName(root)),
          manifest: manifestOf(flags.module),
        });
  return [...files.map((file) => file.path), ...module];
}

const projectName = (root: string): string =>
  path
    .basename(root)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[^A-Za-z]+|[-.]+$/g, "") || "project";

const manifestOf = (given: ManifestName | true): ManifestName => (given === true ? manifestNames[0] : given);

/** Names in manifests are kebab-case. */
const moduleName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "");
