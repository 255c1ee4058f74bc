import { stat } from "node:fs/promises";
import { ApiError } from "../values/errors.ts";

/** A file never takes the place of a folder. */
export async function refuseFolder(target: string): Promise<void> {
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new ApiError(
      `${target} is a folder, and a file is to be written there: name another path, or remove the folder`,
    );
}
