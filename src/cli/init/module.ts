import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pascalCase } from "../../module/index.ts";

/**
 * A module of the project's own, made of fastloop's building blocks: their sources are copied to `pipelines/src/fastloop`,
 * so that the module has no dependency to install and the team can read what runs. Returns what was written.
 */
export async function scaffoldModule(from: string, project: string, name: string): Promise<string[]> {
  const target = path.join(project, "pipelines");
  const blocks = path.join(target, "src/fastloop");
  await mkdir(blocks, { recursive: true });
  for (const file of await readdir(path.join(from, "pipelines/src"))) {
    if (file === "index.ts") continue;
    const text = await readFile(path.join(from, "pipelines/src", file), "utf8");
    await writeFile(path.join(blocks, file), text.replaceAll('"../vendor/', '"../../vendor/'));
  }
  // Outside of src/: the engine imports every TypeScript file below it.
  await cp(path.join(from, "pipelines/vendor"), path.join(target, "vendor"), { recursive: true });
  for (const file of ["package.json", "tsconfig.json", ".gitignore"]) await cp(path.join(from, "pipelines", file), path.join(target, file));
  const manifest = JSON.parse(await readFile(path.join(from, "dagger.json"), "utf8")) as Record<string, unknown>;
  await writeFile(path.join(project, "dagger.json"), `${JSON.stringify({ ...manifest, name }, null, 2)}\n`);
  await writeFile(path.join(target, "src/index.ts"), moduleSource(pascalCase(name)));
  return ["dagger.json", "pipelines/package.json", "pipelines/tsconfig.json", "pipelines/src/index.ts", "pipelines/src/fastloop/", "pipelines/vendor/"];
}

const moduleSource = (className: string): string => `/** The pipeline of this repository. Compose what is in ./fastloop, or write functions of your own beside it. */
import { argument, check, func, object } from "@dagger.io/dagger";
import type { Container, Directory } from "@dagger.io/dagger";
import { devImage } from "./fastloop/dev.ts";
import { IGNORE } from "./fastloop/ignore.ts";
import { devBase, nameOf, readProject } from "./fastloop/project.ts";
import { report } from "./fastloop/report.ts";
import { runSuites } from "./fastloop/suites.ts";

/** How much is tested; each tier has the ones before it in it. */
export enum Tier {
  smoke = "smoke",
  fast = "fast",
  full = "full",
}

@object()
export class ${className} {
  /** The dev image of fastloop.yaml. */
  @func()
  async buildDev(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<Container> {
    const config = await readProject(source);
    return devImage(config, await devBase(config, source), source, { project: nameOf(config) });
  }

  /** The test suites of fastloop.yaml, up to a tier. */
  @func()
  async test(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    tier: Tier = Tier.fast,
    suite: string[] = [],
  ): Promise<string> {
    return report(await runSuites(await readProject(source), source, { tier, suites: suite }), []);
  }

  /** The smoke tier, for \`dagger check\`. */
  @func()
  @check()
  async smoke(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "smoke" });
  }
}
`;
