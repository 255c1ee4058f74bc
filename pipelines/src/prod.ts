import type { Container, Platform } from "@dagger.io/dagger";
import type { ProdImageConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import type { Lock } from "./lock.ts";

/** Builds the production image: its own `from` and packages, and the paths in `copy` from the dev image. */
export function prodImage(prod: ProdImageConfig, dev: Container, lock: Lock, platform?: Platform): Container {
  const { from, packages, user } = prod;
  let image = baseImage({ from, packages }, lock, { platform });
  for (const path of prod.copy ?? []) image = copyPath(image, dev, path);
  for (const [name, value] of Object.entries(prod.env ?? {})) image = image.withEnvVariable(name, value);
  if (prod.workdir !== undefined) image = image.withWorkdir(prod.workdir);
  if (prod.command !== undefined) image = image.withEntrypoint([]).withDefaultArgs(prod.command);
  return user === undefined ? image : image.withUser(user);
}

/** Copies a path from the dev image: a directory if it ends with `/`, else a file. */
function copyPath(image: Container, dev: Container, path: string): Container {
  return path.endsWith("/") ? image.withDirectory(path, dev.directory(path)) : image.withFile(path, dev.file(path));
}
