/** `fastloop watches`: shows which files each function depends on. */
import path from "node:path";
import type { Command } from "commander";
import { painter, plural } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("watches")
    .summary("show which files affect which function")
    .description(
      "Show each function's inputs: folders, exclusions, number of paths. With -v, every path. Needs no engine.",
    )
    .addOption(configFileOption())
    .action(async (flags: { config?: string }) => {
      const { project, plan } = await openProject(context, flags.config);
      const { snapshot } = await plan();
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
        context.printJson({ functions, folders: snapshot.folders().length, unreadable });
        return;
      }
      const paint = painter(context.colors("stdout"));
      for (const { name, inputs } of functions) {
        context.print(`${paint("bold", name)}\n`);
        for (const input of inputs) {
          context.print(`  ${input.argument}: ${printable(input.path)}  ${plural(input.paths, "path")}\n`);
          if (input.include !== undefined) context.print(`    only ${printable(asWritten(input.include).join(" "))}\n`);
          if (input.exclude !== undefined)
            context.print(
              paint(
                "dim",
                `    not  ${printable(input.exclude.join(" "))}${input.gitignore === true ? " and what git ignores" : ""}\n`,
              ),
            );
          for (const file of input.files ?? []) context.print(`    ${printable(file)}\n`);
        }
      }
      context.print(`${plural(snapshot.folders().length, "folder")} watched\n`);
      for (const { path: at, reason } of unreadable) context.notice(`${printable(at)} cannot be read: ${reason}`);
    });
}

/** Returns the include patterns as the user wrote them, without the `!X/**` that is added after an exception `!X`. */
export function asWritten(include: readonly string[]): string[] {
  return include.filter((pattern, index) => {
    const before = include[index - 1];
    return before?.startsWith("!") !== true || pattern !== `${before.replace(/(?<!\/)\/+$/, "")}/**`;
  });
}
