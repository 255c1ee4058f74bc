/** `fastloop why FUNCTION`: shows every reason why it would run, or what its last success is based on. */
import type { Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { duration, painter } from "../../report/index.ts";
import { whyOf } from "../../run/index.ts";
import { dayAndTime, printable, withoutFolders } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("why <function>")
    .summary("explain why a function would run, or why it is current")
    .description(
      "Compare a function's inputs with its last successful run: files, arguments, environment names (never their values), needs, module, engine. Needs no engine.",
    )
    .addOption(configFileOption())
    .action(async (name: string, flags: { config?: string }) => {
      const { project, store, plan } = await openProject(context, flags.config);
      const found = (await plan()).planned.find((planned) => planned.item.target.name === name);
      if (found === undefined) {
        const known = project.targets.map((item) => item.target.name).join(", ");
        throw new UserError("usage", `there is no function "${name}"`, { hint: `there are ${known}` });
      }
      const why = whyOf(found, store)!;
      const { affected, digest, reasons, causes, lastPassed: record, fingerprint } = why;
      if (context.options.json) {
        const verdict = affected ? "affected" : "current";
        context.printJson({ name, verdict, digest, reasons, lastPassed: record?.id, fingerprint });
        return;
      }
      const paint = painter(context.colors("stdout"));
      const lines = [
        `${paint("bold", name)} is ${affected ? paint("cyan", "affected") : paint("green", "current")}  ${paint("dim", digest)}`,
      ];
      if (record !== undefined)
        lines.push(
          `last passed ${dayAndTime(record.startedAt)} in ${duration(record.durationMs)} on ${record.engine.version}`,
        );
      else if (why.hasFailedOnly) lines.push("it has not passed yet");
      for (const cause of causes) lines.push(`  - ${cause}`);
      lines.push("its digest is made of:");
      lines.push(`  call         ${printable(fingerprint.call.join(" "))}`);
      for (const input of fingerprint.inputs)
        lines.push(
          `  ${input.argument.padEnd(12)} ${printable(input.path)}  ${paint("dim", input.digest.slice(0, 12))}`,
        );
      lines.push(
        `  module       ${paint("dim", fingerprint.module.slice(0, 12))}`,
        `  engine       ${withoutFolders(fingerprint.engine) || "(none ran yet)"}`,
      );
      for (const [variable, state] of Object.entries(fingerprint.environment))
        lines.push(`  ${variable.padEnd(12)} ${state}`);
      for (const [need, needed] of Object.entries(fingerprint.needs))
        lines.push(`  needs ${need.padEnd(6)} ${paint("dim", needed.slice(0, 12))}`);
      context.print(`${lines.join("\n")}\n`);
    });
}
