/** `fastloop up --from compose.yaml`: uses a compose file's services as if fastloop.yaml described them. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { ownModule, parsedConfig, readConfigFile, type LoadedConfig } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import { isReallyInside, leadsOut, statIfThere } from "../../paths/index.ts";
import { composeServices } from "../../services/index.ts";

/**
 * Returns the configuration, the equivalent fastloop.yaml as text, and the files that were read. `file` is absolute;
 * `notice` is told what was left out. Throws a `UserError` when the file is outside the project, is no compose file,
 * or describes something that fastloop.yaml can't.
 */
export async function configOfCompose(
  file: string,
  root: string,
  notice: (text: string) => void,
): Promise<{ config: LoadedConfig; text: string; files: string[] }> {
  const place = path.relative(root, file);
  if (leadsOut(place))
    throw new UserError("usage", "is outside the project", { place: file, hint: `the project is ${root}` });
  if (!existsSync(file)) throw new UserError("usage", "there is no such file", { place: `--from ${place}` });
  const folder = path.dirname(place) === "." ? "" : path.dirname(place);
  const files = [file];
  const read = (name: string): string | undefined => {
    const named = path.join(root, folder, name);
    files.push(named);
    if (!existsSync(named)) return undefined;
    if (!isReallyInside(root, named))
      throw new UserError("config", "is outside the project", { place: `${place}: ${name}` });
    return readConfigFile(named, name);
  };
  const isFolder = (named: string): boolean => statIfThere(path.join(root, named))?.isDirectory() === true;
  const { services, up, notes } = composeServices(readConfigFile(file, place), { folder, place, read, isFolder });
  for (const note of notes) notice(note);
  const text = stringify({ version: 1, module: ownModule, services, up });
  const { config, problems } = await parsedConfig(text);
  const [first] = problems;
  if (config === undefined || first !== undefined)
    throw new UserError("config", first?.message ?? "is not valid", {
      place: `${place}: ${first?.path ?? ""}`,
      hint: first?.hint,
    });
  const digest = createHash("sha256").update(text).digest("hex");
  return { config: { config, path: file, root, digest }, text, files };
}
