/** `fastloop init`: a first fastloop.yaml from what the repository is made of; a module and CI files on request. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Option, type Command } from "commander";
import { detectParts, scaffoldConfig } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import { findModule } from "../../module/index.ts";
import { packageFolder } from "../checkout.ts";
import type { CliContext } from "../context.ts";
import { ciFile, ciNames, type CiName } from "../init/ci.ts";
import { scaffoldModule } from "../init/module.ts";

interface InitFlags {
  dryRun?: boolean;
  module?: boolean;
  ci?: CiName[];
}

export function register(program: Command, context: CliContext): void {
  program
    .command("init")
    .summary("write a first fastloop.yaml, from what the repository is made of")
    .description("Write a first fastloop.yaml from the package managers' files that are found. Never overwrites a file.")
    .addOption(new Option("--dry-run", "print what would be written"))
    .addOption(new Option("--module", "a Dagger module of the project's own in pipelines/, made of fastloop's building blocks"))
    .addOption(new Option("--ci <names...>", "workflow files that only call functions").choices([...ciNames]))
    .addHelpText("after", "\nExamples:\n  fastloop init --dry-run\n  fastloop init --module --ci github")
    .action((flags: InitFlags) => init(context, flags));
}

async function init(context: CliContext, flags: InitFlags): Promise<void> {
  const root = context.cwd;
  const parts = detectParts(filesOf(root), (file) => readFileSync(path.join(root, file), "utf8"));
  const name = path.basename(root).replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[^A-Za-z]+|[-.]+$/g, "") || "project";
  const files = [...new Set(flags.ci)].map(ciFile);
  if (!existsSync(path.join(root, "fastloop.yaml"))) {
    if (parts.length === 0) {
      throw new UserError("usage", "nothing that fastloop has a preset for is here", {
        hint: "it knows package.json, requirements.txt, uv.lock, poetry.lock, go.mod and Cargo.toml, here or one folder below; write fastloop.yaml by hand (docs/configuration.md)",
      });
    }
    files.unshift({ path: "fastloop.yaml", text: scaffoldConfig(name, parts) });
  } else if (files.length === 0 && flags.module !== true) {
    throw new UserError("usage", "there is a fastloop.yaml already", { place: "fastloop.yaml", hint: "init never overwrites; --module and --ci add to it" });
  }
  const taken = [...files.map((file) => file.path), ...(flags.module === true ? ["dagger.json", "pipelines"] : [])].find((file) => existsSync(path.join(root, file)));
  if (taken !== undefined) throw new UserError("usage", "is there already; init never overwrites", { place: taken });
  const print = (text: string): void => void (context.options.json || context.print(text));
  if (context.options.json && flags.dryRun === true) {
    context.printJson({ dryRun: true, files, module: flags.module === true });
    return;
  }
  if (flags.dryRun === true) {
    for (const file of files) context.print(`# ${file.path}\n${file.text}\n`);
    if (flags.module === true) context.print("# dagger.json and pipelines/: a module of the project's own\n");
    return;
  }
  for (const file of files) {
    await mkdir(path.dirname(path.join(root, file.path)), { recursive: true });
    await writeFile(path.join(root, file.path), file.text);
    print(`wrote ${file.path}\n`);
  }
  if (flags.module === true) {
    const written = await scaffoldModule(packageFolder("pipelines/src/index.ts"), root, moduleName(name));
    for (const file of written) print(`wrote ${file}\n`);
  }
  if (context.options.json) {
    context.printJson({ dryRun: false, files, module: flags.module === true });
  } else if (hasModule(root, context.options.module)) {
    print("next: `fastloop validate`, then `fastloop run`\n");
  } else {
    print("next: a module, by `fastloop init --module`, or fastloop's own by `-m`; then `fastloop validate` and `fastloop run`\n");
  }
}

function hasModule(root: string, dir: string | undefined): boolean {
  try {
    findModule(root, dir);
    return true;
  } catch {
    return false;
  }
}

/** Files of the root and of the folders right below it. */
function filesOf(root: string): string[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isFile()) return [entry.name];
    if (!entry.isDirectory() || entry.name.startsWith(".") || entry.name === "node_modules") return [];
    return readdirSync(path.join(root, entry.name), { withFileTypes: true }).filter((file) => file.isFile()).map((file) => `${entry.name}/${file.name}`);
  });
}

/** dagger.json's names are kebab-case words. */
const moduleName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replace(/-$/, "");
