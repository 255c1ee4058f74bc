/**
 * The deployer: one process in one container for one request, bundled into `pipelines/vendor/deployer.mjs`. It talks to
 * the API server directly, so its container needs Node and no kubectl. Progress goes to stderr; the report or the error
 * message goes to stdout, and the exit code says which.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { ExitCode } from "../errors/index.ts";
import { printableLines } from "../text/index.ts";
import { answerTo } from "./actions.ts";

const [requestFile = "", kubeconfigFile = ""] = process.argv.slice(2);
const printer = (stream: NodeJS.WriteStream) => (text: string) => stream.write(`${printableLines(text.trimEnd())}\n`);

try {
  const files = await Promise.all([requestFile, kubeconfigFile].map((file) => readFile(file, "utf8")));
  const { text, exitCode } = await answerTo(files[0] ?? "", files[1] ?? "", printer(process.stderr));
  printer(process.stdout)(text);
  process.exitCode = exitCode;
} catch (error) {
  // `answerTo` reports its own failures, so only a file that can't be read gets here.
  const { code = "", path: file = "" } = error as NodeJS.ErrnoException;
  if (code === "") throw error;
  printer(process.stdout)(`the deployer can't read ${file === "" ? "its files" : file} (${code})`);
  process.exitCode = ExitCode.failed;
}
