import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { lstatIfThere, readRegular, UnfitFile } from "../paths/index.ts";
import { ProjectState } from "../state/index.ts";
import type { Config, LoadedConfig } from "./types.ts";

export interface LoadOptions {
  /** Where to start looking; parents follow up to the git root. */
  cwd: string;
  /** A file named with `--config`; not looked for, an error when missing. */
  file?: string;
}

/**
 * Finds, reads and checks `fastloop.yaml`. A file that was found valid is remembered by its digest in `.fastloop/`, so
 * that an unchanged one costs a read and a hash and not the YAML and schema libraries (40 ms).
 */
export async function loadConfig({ cwd, file }: LoadOptions): Promise<LoadedConfig> {
  const found = file === undefined ? findConfig(cwd) : path.resolve(cwd, file);
  if (found === undefined) return { config: { version: 1 }, root: cwd, digest: "" };
  const text = readConfigFile(found, shown(found, cwd));
  const root = path.dirname(found);
  const digest = createHash("sha256").update(text).digest("hex");
  const memory = new ProjectState(root);
  const build = await buildId();
  const remembered = recall(memory, digest, build);
  if (remembered !== undefined) return { config: remembered, path: found, root, digest };
  const { parseConfig } = await import("./parse.ts");
  const { config, problems } = parseConfig(text);
  if (config === undefined) {
    const [first, ...others] = problems;
    const place = shown(found, cwd);
    throw new UserError("config", first?.message ?? "is not valid", {
      place: `${place}:${first?.line}:${first?.column}`,
      hint: first?.hint,
      detail: others.map((other) => `${place}:${other.line}:${other.column}: ${other.message}`).join("\n"),
    });
  }
  // Without a build there is no telling whether the schema is still the same.
  if (build !== "") memory.write(".", memoryFile, [Buffer.from(JSON.stringify({ digest, build, config }))]);
  return { config, path: found, root, digest };
}

/** The nearest `fastloop.yaml` in `cwd` or a parent, not beyond the folder that holds `.git`. */
export function findConfig(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, "fastloop.yaml");
    // A link to nowhere is a mistake in this project, and no reason to take the configuration of one above.
    if (lstatIfThere(candidate) !== undefined) return candidate;
    if (existsSync(path.join(folder, ".git")) || folder === path.dirname(folder)) return undefined;
  }
}

/** The text of a configuration. Throws a `UserError` for what can't be one. */
export function readConfigFile(file: string, place = file): string {
  try {
    return readRegular(file, { maxBytes: maxConfigBytes }).toString("utf8");
  } catch (cause) {
    throw unreadable(place, cause);
  }
}

/** Ten thousand targets take less. */
const maxConfigBytes = 2 * 1024 * 1024;

/** A named file that is not there, a folder of that name, or one that this user may not read. */
export function unreadable(place: string, cause: unknown): UserError {
  if (cause instanceof UserError) return cause;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT")
    return new UserError("config", "there is no such file", { place, cause, hint: "run `fastloop init` to write one" });
  const reasons: Record<string, string> = {
    EACCES: "permission denied",
  };
  const reason = cause instanceof UnfitFile ? cause.message : (reasons[String(code)] ?? String(cause));
  return new UserError("config", `can't be read: ${reason}`, { place, cause });
}

const shown = (file: string, cwd: string): string => {
  const relative = path.relative(cwd, file);
  return relative.startsWith("..") ? file : relative;
};

/** Which build of fastloop found the file valid: another one may have another schema. Empty when run from its sources. */
async function buildId(): Promise<string> {
  return (await readFile(new URL("./build-id", import.meta.url), "utf8").catch(() => "")).trim();
}

const memoryFile = "config.json";

/** What was found valid then; only what we wrote ourselves counts, as nothing checks it again. */
function recall(memory: ProjectState, digest: string, build: string): Config | undefined {
  const content = build === "" ? undefined : memory.read(".", memoryFile);
  if (content === undefined) return undefined;
  try {
    const stored = JSON.parse(content.toString("utf8")) as { digest: string; build: string; config: Config };
    return stored.digest === digest && stored.build === build ? stored.config : undefined;
  } catch {
    return undefined; // Sealed by a fastloop that wrote otherwise.
  }
}
