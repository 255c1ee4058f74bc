/**
 * The deployer: one process in one container for one request, bundled into `pipelines/vendor/deployer.mjs`. It speaks to the
 * API server itself, so its container needs Node and no kubectl. Progress goes to stderr; what it ended with, report or
 * failure, to stdout; the exit code says which.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { ExitCode } from "../errors/index.ts";
import { printableLines } from "../text/index.ts";
import { carryOutRequest } from "./actions.ts";
import { deployErrorOf } from "./client.ts";
import { requestSchema } from "./request.ts";

const [requestFile = "", kubeconfigFile = ""] = process.argv.slice(2);
const printer = (stream: NodeJS.WriteStream) => (text: string) => stream.write(`${printableLines(text.trimEnd())}\n`);
const answer = printer(process.stdout);

try {
  const request = requestSchema.parse(JSON.parse(await readFile(requestFile, "utf8")));
  answer(await carryOutRequest(request, await readFile(kubeconfigFile, "utf8"), printer(process.stderr)));
} catch (error) {
  const told = deployErrorOf(error);
  if (told !== undefined) {
    answer(told.message);
    process.exitCode = told.exitCode;
  } else {
    answer(`this is a fault of fastloop: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = ExitCode.failed;
  }
}
