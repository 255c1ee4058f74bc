/** `fastloop watches`: which files concern which function. */
import path from "node:path";
import { Option, type Command } from "commander";
import { painter, plural } from "../../report/index.ts";
import type { CliContext } from "../context.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("watches")
    .summary("show which files concern which function")
    .description("Show each function's inputs: folder, what is left out, how many paths. With -v every path. Needs no engine.")
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"))
    .action(async (flags: { config?: string }) => {
      const { project, plan } = await openProject(context, flags.config);
      const { snapshot } = plan();
      const functions = project.targets.map((item) => ({
        name: item.target.name,
        inputs: item.inputs.map((input) => ({
          argument: input.argument,
          path: path.relative(project.root, input.path) || ".",
          ...input.filter,
          paths: snapshot.count(input),
          ...(context.options.verbose ? { files: [...snapshot.manifest(input).keys()] } : {}),
        })),
      }));
      const unreadable = snapshot.unreadable();
      if (context.options.json) {
        context.stdout.write(`${JSON.stringify({ functions, folders: snapshot.folders().length, unreadable })}\n`);
        return;
      }
      const paint = painter(context.colors("stdout"));
      for (const { name, inputs } of functions) {
        context.stdout.write(`${paint("bold", name)}\n`);
        for (const input of inputs) {
          context.stdout.write(`  ${input.argument}: ${input.path}  ${plural(input.paths, "path")}\n`);
          if (input.include !== undefined) context.stdout.write(`    only ${input.include.join(" ")}\n`);
          if (input.exclude !== undefined) context.stdout.write(paint("dim", `    not  ${input.exclude.join(" ")}${input.gitignore === true ? " and what git ignores" : ""}\n`));
          for (const file of input.files ?? []) context.stdout.write(`    ${file}\n`);
        }
      }
      context.stdout.write(`${plural(snapshot.folders().length, "folder")} watched\n`);
      for (const { path: at, reason } of unreadable) context.notice(`${at} cannot be read: ${reason}`);
    });
}
