/**
 * The user's settings for all projects, which no repository can change: `$XDG_CONFIG_HOME/fastloop/config.yaml`, and
 * environment variables that override it.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { readConfigFile } from "./load.ts";
import { UserError } from "../errors/index.ts";
import { homeFolder } from "../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export function userConfigFile(env: Environment): string {
  const named = env["XDG_CONFIG_HOME"];
  const base = named !== undefined && path.isAbsolute(named) ? named : path.join(homeFolder(env), ".config");
  return path.join(base, "fastloop", "config.yaml");
}

/**
 * Reports whether containers may have root capabilities: `FASTLOOP_ROOT_CAPABILITIES`, else `rootCapabilities` of the
 * user's file. Throws a `UserError` if the file is invalid.
 */
export async function rootCapabilitiesOfUser(env: Environment): Promise<boolean> {
  const variable = env["FASTLOOP_ROOT_CAPABILITIES"] ?? "";
  if (variable !== "") return /^(?:1|true)$/i.test(variable);
  const file = userConfigFile(env);
  if (!existsSync(file)) return false;
  const text = readConfigFile(file);
  // Loads the YAML and schema libraries only if there is a file to parse.
  const { parseUserConfig } = await import("./schema/user-schema.ts");
  try {
    return parseUserConfig(text).rootCapabilities ?? false;
  } catch (cause) {
    throw new UserError("config", "is not valid: only `rootCapabilities: true` or `false` can stand in it", {
      place: file,
      cause,
    });
  }
}
