/** `fastloop render ENV`: prints the manifests as they are applied, without asking the cluster. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { Option, type Command } from "commander";
import type { CliContext } from "../context.ts";
import { configFileOption } from "../loop-options.ts";
import { callFunction } from "../deploy/call-function.ts";
import { chooseEnvironment } from "../deploy/environment.ts";
import { appOption, givenAll, imageOption } from "../deploy/options.ts";

interface RenderFlags {
  config?: string;
  app?: string[];
  image?: string[];
  output?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("render")
    .argument("<environment>", "one of deploy.environments")
    .summary("print the manifests of an environment as they are applied")
    .description(
      "Print the manifests of an environment as `deploy` applies them, images by digest. Contacts no cluster.",
    )
    .addOption(configFileOption())
    .addOption(appOption())
    .addOption(imageOption())
    .addOption(new Option("-o, --output <file>", "write them to a file"))
    .addHelpText(
      "after",
      `
Examples:
  fastloop render dev                          every app
  fastloop render production --app web -o web.yaml
  fastloop render dev | kubectl diff -f -      compare with another tool`,
    )
    .action((name: string, flags: RenderFlags) => render(context, name, flags));
}

async function render(context: CliContext, name: string, flags: RenderFlags): Promise<void> {
  const environment = await chooseEnvironment(context, name, flags);
  const words = ["render", `--env=${name}`, ...givenAll("app", flags.app), ...givenAll("image", flags.image)];
  const text = await callFunction(context, environment, [...words, "contents"]);
  if (flags.output !== undefined) writeFileSync(path.resolve(context.cwd, flags.output), text);
  if (context.options.json) context.printJson({ environment: name, manifests: text });
  else if (flags.output === undefined) context.stdout.write(text);
}
