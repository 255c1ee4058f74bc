import { dag, ReturnType } from "@dagger.io/dagger";
import type { Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { plannedTiers, tierCommand, tierContainer } from "./suites.ts";
import type { SuiteRequest } from "./suites.ts";

const folder = "/tmp/fastloop-reports";

/**
 * Runs the same tests for their reports: `SUITE/TIER/junit.xml`, the coverage beside it, the output and the exit code. A
 * failing test is in the report and fails nothing here.
 */
export function testReports(config: Config, source: Directory, request: SuiteRequest, coverage: boolean): Promise<Directory> {
  return plannedTiers(config, request).reduce(async (before, planned) => {
    const asked = { ...planned, request: { ...planned.request, reports: folder, coverage } };
    const container = await tierContainer(config, source, asked);
    const ended = container.withDirectory(folder, dag.directory()).withExec(tierCommand(asked), { expect: ReturnType.Any });
    const [output, exitCode] = await Promise.all([ended.stdout(), ended.exitCode()]);
    const reports = ended.directory(folder).withNewFile("output.txt", output).withNewFile("exit-code", `${exitCode}\n`);
    return (await before).withDirectory(`${planned.name}/${planned.tier}`, reports);
  }, Promise.resolve(dag.directory()));
}
