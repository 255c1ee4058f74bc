/** Lists what the loop needs and is on this machine, with sizes, without running anything. */
import { diskUse } from "../../caches/index.ts";
import { volumesOf, type EmbeddedEngine } from "../../engine/index.ts";
import { confineProgram } from "../../module/index.ts";
import path from "node:path";
import type { Project } from "../../plan/index.ts";

/** One thing that the loop needs. */
export interface Part {
  kind: "program" | "images" | "image" | "volume" | "layers" | "function" | "services";
  name: string;
  bytes?: number;
  /** Why it is missing; absent when it is there. */
  missing?: string;
  /** Additional remark. */
  note?: string;
}

/** Returns the programs and base images that the daemon needs to start. */
export async function programs(engine: EmbeddedEngine, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Part[]> {
  const boundary = confineProgram(env);
  const folders = [
    ...engine.parts(),
    // On other systems bodies have another boundary, or none.
    ...(process.platform === "linux"
      ? [
          {
            part: "boundary",
            name: "the boundary of function bodies",
            folder: boundary && path.dirname(boundary),
          },
        ]
      : []),
  ];
  const parts: Part[] = [];
  for (const { part, name, folder } of folders) {
    const kind = part === "images" ? "images" : "program";
    if (folder === undefined) parts.push({ kind, name, missing: "not on this machine" });
    else parts.push({ kind, name, bytes: await diskUse(folder, signal) });
  }
  return parts;
}

/** Returns the engine's images and layers, and the project's own volumes. */
export async function layersAndVolumes(
  engine: EmbeddedEngine,
  { root, module }: Pick<Project, "root" | "module">,
): Promise<Part[]> {
  const disk = await engine.disk();
  if (disk === undefined) return [];
  const own = volumesOf({ workdir: root, module: { name: module.name, sourceDir: module.sourceDir } });
  const pulled = disk.images.reduce((sum, { bytes }) => sum + bytes, 0);
  const layers = disk.kinds["regular"];
  return [
    ...disk.images.map(({ name, bytes }): Part => ({ kind: "image", name, bytes })),
    ...disk.volumes
      .filter(({ project }) => project === own)
      .map(({ name, path: at, bytes }): Part => ({ kind: "volume", name: `${name} (${at})`, bytes })),
    ...(layers === undefined
      ? []
      : [
          {
            kind: "layers" as const,
            name: `${layers.records} layers, of all projects`,
            bytes: Math.max(0, layers.bytes - pulled),
          },
        ]),
  ];
}
