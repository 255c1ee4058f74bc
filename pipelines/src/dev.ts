import type { Container, Directory } from "@dagger.io/dagger";
import { presets } from "../vendor/config.mjs";
import type { Config, DevImageConfig, LayerConfig } from "../vendor/config.mjs";
import { run } from "./exec.ts";
import type { CacheUse } from "./exec.ts";
import { note, withJournal, withoutJournal } from "./journal.ts";

export interface DevOptions extends CacheUse {
  /** The project's name, which the journal's cache volume is named after. */
  project: string;
}

/**
 * Builds the dev image: the base, the dependency layers in order, then the sources. A layer copies only its `files`, so
 * an edit of the sources leaves the layers cached.
 */
export function devImage(config: Config, base: Container, source: Directory, options: DevOptions): Container {
  const dev = config.images?.dev ?? {};
  const workdir = dev.workdir ?? "/app";
  const user = dev.user ?? config.images?.base?.user;
  let image = base.withUser("root").withWorkdir(workdir);
  for (const [name, value] of Object.entries(dev.env ?? {})) image = image.withEnvVariable(name, value);
  for (const layer of layersOf(dev)) image = withLayer(image, layer, workdir, source, options);
  image = image.withDirectory(workdir, source, dev.sources === undefined ? {} : { include: dev.sources });
  if (dev.command !== undefined) image = image.withDefaultArgs(dev.command);
  return user === undefined ? image : image.withUser(user);
}

/** Returns the preset's dependency layer, followed by the configured layers. */
export function layersOf(dev: DevImageConfig): LayerConfig[] {
  if (dev.preset === undefined) return dev.layers ?? [];
  const { manifests, install, caches, env } = presets[dev.preset];
  return [{ name: "dependencies", files: manifests, run: install, caches, env }, ...(dev.layers ?? [])];
}

/** Returns patterns of all files that the dev image is built from. */
export const devFiles = (dev: DevImageConfig): string[] => [
  ...layersOf(dev).flatMap((layer) => layer.files ?? []),
  ...(dev.sources ?? ["./"]),
];

function withLayer(
  image: Container,
  layer: LayerConfig,
  workdir: string,
  source: Directory,
  options: DevOptions,
): Container {
  for (const [name, value] of Object.entries(layer.env ?? {})) image = image.withEnvVariable(name, value);
  if (layer.files !== undefined) image = image.withDirectory(workdir, source, { include: layer.files });
  if (layer.run === undefined) return image;
  const commands = typeof layer.run === "string" ? [layer.run] : layer.run;
  const { epoch, project } = options;
  const ran = run(withJournal(image, project), commands, layer.caches, { epoch, before: [note(layer.name)] });
  return withoutJournal(ran);
}
