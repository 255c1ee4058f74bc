import { createHash } from "node:crypto";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { buildId, lstatIfThere, readRegular, statIfThere, UnfitFile } from "../paths/index.ts";
import { ProjectState } from "../state/index.ts";
import type { Config, LoadedConfig } from "./types.ts";

export interface LoadOptions {
  /** Folder where the search starts; it continues upwards to the git root. */
  cwd: string;
  /** File named with `--config`; an error if it is missing. */
  file?: string;
}

/**
 * Finds, reads and checks `fastloop.yaml`. A valid file is remembered by its digest in `.fastloop/`, so that an
 * unchanged one costs a read and a hash instead of loading the YAML and schema libraries (40 ms). Throws a `UserError`
 * with the position of the first problem.
 */
export async function loadConfig({ cwd, file }: LoadOptions): Promise<LoadedConfig> {
  const found = file === undefined ? findConfig(cwd) : path.resolve(cwd, file);
  if (found === undefined) return { config: { version: 1 }, root: cwd, digest: "" };
  const text = readConfigFile(found, shown(found, cwd));
  const root = path.dirname(found);
  const digest = createHash("sha256").update(text).digest("hex");
  const memory = new ProjectState(root);
  // From sources nobody can tell whether the schema is the one of the build.
  const build = import.meta.url.endsWith(".ts") ? "" : buildId();
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
  // Without a build id nobody can tell later whether the schema is still the same.
  if (build !== "") memory.write(".", memoryFile, [Buffer.from(JSON.stringify({ digest, build, config }))]);
  return { config, path: found, root, digest };
}

/** Returns the nearest `fastloop.yaml` in `cwd` or a parent, up to the folder that holds `.git`. */
export function findConfig(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, "fastloop.yaml");
    // A broken link is an error in this project; the configuration of a parent must not be used instead.
    if (lstatIfThere(candidate) !== undefined) return candidate;
    if (statIfThere(path.join(folder, ".git")) !== undefined || folder === path.dirname(folder)) return undefined;
  }
}

/** Returns the text of a configuration. Throws a `UserError` if the file is unreadable or too large. */
export function readConfigFile(file: string, place = file): string {
  try {
    return readRegular(file, { maxBytes: maxConfigBytes }).toString("utf8");
  } catch (cause) {
    throw unreadable(place, cause);
  }
}

/** Size limit in bytes; ten thousand targets take less. */
const maxConfigBytes = 2 * 1024 * 1024;

/** Error for a file that is missing, is a folder, or may not be read by this user. */
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

const memoryFile = "config.json";

/** Returns the remembered configuration. Only content with the user's seal counts, as it is not checked again. */
function recall(memory: ProjectState, digest: string, build: string): Config | undefined {
  const content = build === "" ? undefined : memory.read(".", memoryFile);
  if (content === undefined) return undefined;
  try {
    const stored = JSON.parse(content.toString("utf8")) as { digest: string; build: string; config: Config };
    return stored.digest === digest && stored.build === build ? stored.config : undefined;
  } catch {
    return undefined; // The seal is valid, but another version wrote another format.
  }
}
