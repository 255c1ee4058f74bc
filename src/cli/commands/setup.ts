/** `fastloop setup`: prepares this machine, system packages included. Other commands do all but those when needed. */
import { spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import type { Command } from "commander";
import { UserError } from "../../errors/index.ts";
import { packageRoot } from "../../paths/index.ts";
import type { CliContext } from "../context.ts";

const examples = `
Examples:
  fastloop setup                  install what is missing, including system packages
  fastloop setup --check          show what is ready and what is missing
  fastloop setup --arch arm64     what containers of another architecture need`;

export function register(program: Command, context: CliContext): void {
  program
    .command("setup")
    .summary("prepare this machine: engine, base images, system packages")
    .description(
      "Install what is missing on this machine: the engine, the boundary of function bodies, base images, and the system packages that these need. Safe to run again; rebuilds programs that were changed since they were built.",
    )
    .option("--check", "show what is ready and what is missing, and do nothing; exit code 1 if something is missing")
    .option("--arch <arch>", "prepare base images and emulation for amd64 or arm64")
    .option(
      "--refresh",
      "check again whether an image registry can be reached, and rebuild base images with newer packages",
    )
    .addHelpText("after", examples)
    .action((flags: Flags) => setup(context, flags));
}

interface Flags {
  check?: boolean;
  arch?: string;
  refresh?: boolean;
}

async function setup(context: CliContext, flags: Flags): Promise<void> {
  if (context.options.json && flags.check !== true)
    throw new UserError("usage", "with --json, setup can only report what is ready", {
      place: "--json",
      hint: "add --check",
    });
  const words = [
    ...(flags.check === true ? ["--check"] : []),
    ...(flags.refresh === true ? ["--refresh"] : []),
    ...(flags.arch === undefined ? [] : ["--arch", flags.arch]),
    ...(context.options.json ? ["--json"] : []),
  ];
  // On SIGTERM the script ends what it started, then itself.
  const child = spawn(process.execPath, [path.join(packageRoot(), "tools", "setup.mjs"), ...words], {
    stdio: "inherit",
    env: context.env,
  });
  context.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
