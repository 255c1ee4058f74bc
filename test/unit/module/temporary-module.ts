/** A module of a few lines in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const folders: string[] = [];

/** `source` is `src/index.ts` without the import of the SDK. */
export function temporaryModule(name: string, source: string, files: Record<string, string> = {}): string {
  const root = mkdtempSync(path.join(tmpdir(), "fastloop-module-"));
  folders.push(root);
  const names = "argument, check, dag, func, object, Container, Directory, File, Platform, Service, Workspace";
  const all: Record<string, string> = {
    "dagger.json": `{"name":"${name}","engineVersion":"v0.21.4","sdk":"typescript"}`,
    "src/index.ts": `import { ${names} } from "@dagger.io/dagger"\n${source}\n`,
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return root;
}

export function removeTemporaryModules(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
