/** Determines the files that an app of `deploy:` is made of; an edit of one of them deploys the app again. */
import path from "node:path";
import type { DeployConfig } from "../../config/index.ts";
import { leadsOut, regularTextIfThere, statIfThere } from "../../paths/index.ts";
import { namedInputs, type TargetInput } from "../../plan/index.ts";

type AppConfig = DeployConfig["apps"][string];

/**
 * Returns the app's inputs as patterns of the project. An app whose image is published at each deploy depends on all
 * files.
 */
export function inputsOfApp(
  app: AppConfig,
  environment: string,
  root: string,
  { ignored = [], isPublished = false }: { ignored?: readonly string[]; isPublished?: boolean },
): TargetInput[] {
  const here = (text: string): string => text.replaceAll("{env}", environment);
  const { manifests = [], kustomize, helm, custom } = app;
  const chart =
    helm === undefined || helm.chart.startsWith("oci://") ? [] : [`${here(helm.chart).replace(/\/$/, "")}/`];
  const patterns = [
    "fastloop.yaml",
    "fastloop.lock",
    ...manifests.map(here),
    ...(kustomize === undefined ? [] : kustomizationInputs(root, here(kustomize))),
    ...chart,
    ...(helm?.values ?? []).map(here),
    ...(custom?.inputs ?? []).map(here),
  ];
  return namedInputs(isPublished ? ["**"] : patterns, root, ignored);
}

const kustomizationNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Returns a kustomization's folder and the project files that it names, following bases and components. */
function kustomizationInputs(root: string, folder: string): string[] {
  const folders = new Set<string>();
  const patterns: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const relative = path.posix.normalize(next).replace(/\/$/, "");
    if (leadsOut(relative) || folders.has(relative)) continue;
    folders.add(relative);
    patterns.push(`${relative}/`);
    const files = kustomizationNames.map((name) => path.join(root, relative, name));
    const present = files.find((name) => statIfThere(name) !== undefined);
    // Rendering reports a file that cannot be read.
    const text = present === undefined ? "" : regularTextIfThere(present);
    for (const [word] of text.matchAll(/[^\s"',[\]{}:]+/g)) {
      const place = path.posix.join(relative, word);
      if (!word.startsWith("../") || leadsOut(place)) continue;
      const stats = statIfThere(path.join(root, place));
      if (stats?.isDirectory() === true) waiting.push(place);
      else if (stats !== undefined) patterns.push(place);
    }
  }
  return patterns;
}
