import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pascalCase } from "../../module/index.ts";
import { distFile } from "../../paths/index.ts";

/** Contents of a module's `.gitignore`. It is written from here because npm does not pack `.gitignore` files. */
const ignored = "/sdk\n/**/node_modules/**\n/**/.pnpm-store/**\n/.env\n";

/** Manifests of a module: of Dagger up to 0.21, which 1.0 reads as well, and of 1.0. */
export const manifestNames = ["dagger.json", "dagger-module.toml"] as const;
export type ManifestName = (typeof manifestNames)[number];

/**
 * Creates a module of the project's own with fastloop's functions: `pipelines/src/index.ts` to edit, and beside it the
 * building blocks in one generated file. `from` is fastloop's package. Returns the written paths.
 */
export async function scaffoldModule(
  from: string,
  project: string,
  { name, manifest }: { name: string; manifest: ManifestName },
): Promise<string[]> {
  const target = path.join(project, "pipelines");
  await mkdir(path.join(target, "src"), { recursive: true });
  // Outside of src/, because the engine imports every TypeScript file below it.
  await cp(path.join(from, "pipelines/vendor"), path.join(target, "vendor"), { recursive: true });
  for (const file of ["package.json", "tsconfig.json"])
    await cp(path.join(from, "pipelines", file), path.join(target, file));
  await writeFile(path.join(target, ".gitignore"), ignored);
  await cp(distFile("module-template/fastloop.ts"), path.join(target, "src/fastloop.ts"));
  const index = await readFile(distFile("module-template/index.ts"), "utf8");
  await writeFile(
    path.join(target, "src/index.ts"),
    index.replaceAll(/(?<=^export class |\()Fastloop(?= \{$|\.prototype\))/gm, pascalCase(name)),
  );
  const own = JSON.parse(await readFile(path.join(from, "dagger.json"), "utf8")) as Record<string, unknown>;
  const text =
    manifest === "dagger.json"
      ? JSON.stringify({ ...own, name }, null, 2)
      : `name = "${name}"\nengineVersion = "v1.0.0"\nsource = "pipelines"\n\n[runtime]\nsource = "typescript"`;
  await writeFile(path.join(project, manifest), `${text}\n`);
  return [
    manifest,
    "pipelines/package.json",
    "pipelines/tsconfig.json",
    "pipelines/src/index.ts",
    "pipelines/src/fastloop.ts",
    "pipelines/vendor/",
  ];
}
