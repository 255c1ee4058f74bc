/** `fastloop why FUNCTION`: every cause for which it would run, or what its last success rests on. */
import { Option, type Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { describeReason } from "../../plan/index.ts";
import { duration, painter } from "../../report/index.ts";
import { printable } from "../../text/index.ts";
import type { CliContext } from "../context.ts";
import { openProject } from "../project.ts";

export function register(program: Command, context: CliContext): void {
  program
    .command("why <function>")
    .summary("say why a function would run, or why it is current")
    .description(
      "Compare a function's inputs with its last successful run: files, arguments, environment names (never their values), needs, module, engine. Needs no engine.",
    )
    .addOption(new Option("--config <file>", "configuration (default: the nearest fastloop.yaml upwards)"))
    .action(async (name: string, flags: { config?: string }) => {
      const { project, store, plan } = await openProject(context, flags.config);
      const found = plan().planned.find((planned) => planned.item.target.name === name);
      if (found === undefined) {
        const known = project.targets.map((item) => item.target.name).join(", ");
        throw new UserError("usage", `there is no function "${name}"`, { hint: `there are ${known}` });
      }
      const { lastPassed, last } = store.history(name);
      const record = store
        .of(name)
        .find((candidate) => candidate.digest === (!found.affected ? found.digest : lastPassed?.digest));
      if (context.options.json) {
        const { fingerprint, digest, affected, reasons } = found;
        context.printJson({
          name,
          verdict: affected ? "affected" : "current",
          digest,
          reasons,
          lastPassed: record?.id,
          fingerprint: withoutValues(fingerprint),
        });
        return;
      }
      const paint = painter(context.colors("stdout"));
      const lines = [
        `${paint("bold", name)} is ${found.affected ? paint("cyan", "affected") : paint("green", "current")}  ${paint("dim", found.digest)}`,
      ];
      if (record !== undefined)
        lines.push(`last passed ${record.startedAt} in ${duration(record.durationMs)} on ${record.engine.version}`);
      else if (last !== undefined) lines.push("it has not passed yet");
      for (const reason of found.reasons) lines.push(`  - ${describeReason(reason)}`);
      lines.push("its digest is made of:");
      lines.push(`  call         ${printable(found.fingerprint.call.join(" "))}`);
      for (const input of found.fingerprint.inputs)
        lines.push(
          `  ${input.argument.padEnd(12)} ${printable(input.path)}  ${paint("dim", input.digest.slice(0, 12))}`,
        );
      lines.push(
        `  module       ${paint("dim", found.fingerprint.module.slice(0, 12))}`,
        `  engine       ${found.fingerprint.engine || "(none ran yet)"}`,
      );
      for (const [variable, hash] of Object.entries(found.fingerprint.environment))
        lines.push(`  ${variable.padEnd(12)} ${hash === "unset" ? "unset" : "set"}`);
      for (const [need, digest] of Object.entries(found.fingerprint.needs))
        lines.push(`  needs ${need.padEnd(6)} ${paint("dim", digest.slice(0, 12))}`);
      context.print(`${lines.join("\n")}\n`);
    });
}

/** Names of variables and whether they are set; their keyed hashes are nobody's business. */
function withoutValues<T extends { environment: Record<string, string> }>(fingerprint: T): T {
  const environment = Object.fromEntries(
    Object.entries(fingerprint.environment).map(([name, hash]) => [name, hash === "unset" ? "unset" : "set"]),
  );
  return { ...fingerprint, environment };
}
