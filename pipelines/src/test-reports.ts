import { dag, ReturnType } from "@dagger.io/dagger";
import type { Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { cargoJunit, goJunit } from "./junit.ts";
import { plannedTiers, readyTier, tierCommand } from "./suites.ts";
import type { PlannedTier, SuiteRequest } from "./suites.ts";

const reportsFolder = "/tmp/fastloop-reports";

/**
 * Runs tests and returns `SUITE/TIER/{junit.xml,output.txt,exit-code}`, with coverage beside them if requested. Does
 * not fail if a test fails.
 */
export async function testReports(
  config: Config,
  source: Directory,
  request: SuiteRequest,
  coverage: boolean,
): Promise<Directory> {
  const planned = plannedTiers(config, request);
  const reports = await Promise.all(planned.map((each) => reportsOf(config, source, each, coverage)));
  return reports.reduce(
    (all, each, index) => all.withDirectory(`${planned[index]!.name}/${planned[index]!.tier}`, each),
    dag.directory(),
  );
}

/** Returns the reports of one tier; only `output.txt`, with the reason, if it has nothing to run. */
async function reportsOf(
  config: Config,
  source: Directory,
  planned: PlannedTier,
  coverage: boolean,
): Promise<Directory> {
  const { container, remark } = await readyTier(config, source, planned, { reports: reportsFolder, coverage });
  if (container === undefined) return dag.directory().withNewFile("output.txt", `${remark}\n`);
  const ended = container
    .withDirectory(reportsFolder, dag.directory())
    .withExec(tierCommand(planned), { expect: ReturnType.Any });
  const [output, exitCode] = await Promise.all([ended.stdout(), ended.exitCode()]);
  const files = ended
    .directory(reportsFolder)
    .withNewFile("output.txt", output)
    .withNewFile("exit-code", `${exitCode}\n`);
  const { runner } = planned.suite;
  if (runner !== "go" && runner !== "cargo") return files;
  return files.withNewFile("junit.xml", runner === "go" ? goJunit(output) : cargoJunit(output));
}
