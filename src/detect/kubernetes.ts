/**
 * Detects Kubernetes configuration in a repository: charts, kustomizations, plain manifests, and their environments.
 */
import path from "node:path";
import { isWithin } from "../paths/index.ts";
import type { DetectedDeploy, ProjectFiles } from "./types.ts";

const yaml = /\.ya?ml$/;
const kustomization = /(?:^|\/)kustomization\.ya?ml$/;
const overlay = /^(.*?)\/?overlays\/([^/]+)\/kustomization\.ya?ml$/;
/**
 * Matches kinds of objects that are deployed; a file with only other kinds (a workflow, a compose file) does not count.
 */
const kinds =
  /^kind: *["']?(?:Deployment|StatefulSet|DaemonSet|Job|CronJob|Service|Ingress|ConfigMap|Secret|Pod|HTTPRoute|Rollout)\b/m;
const isProduction = /^prod(?:uction)?$/;
/** Folder names that say nothing about their content. */
const general = new Set([
  "deploy",
  "deployment",
  "deployments",
  "k8s",
  "k3s",
  "kubernetes",
  "kube",
  "manifests",
  "chart",
  "charts",
  "helm",
  "base",
]);

/** Returns undefined if the repository has nothing for Kubernetes. */
export function detectDeploy(files: ProjectFiles, project: string): DetectedDeploy | undefined {
  const candidates = files.list.filter((file) => !/(?:^|\/)(?:\.github|node_modules|testdata|fixtures)\//.test(file));
  const charts = folders(candidates.filter((file) => /(?:^|\/)Chart\.yaml$/.test(file)));
  const own = charts.filter((folder) => !charts.some((other) => other !== folder && isWithin(other, folder)));
  const kustomized = folders(candidates.filter((file) => kustomization.test(file)));
  const overlays = new Map<string, string[]>();
  for (const file of candidates) {
    const [, above, name] = overlay.exec(file) ?? [];
    if (above === undefined || name === undefined || own.some((folder) => isWithin(folder, file))) continue;
    overlays.set(above, [...(overlays.get(above) ?? []), label(name)]);
  }
  const bases = kustomized.filter(
    (folder) =>
      ![...overlays.keys()].some((above) => isWithin(above, folder)) && path.posix.basename(folder) !== "base",
  );
  const manifests = folders(
    candidates.filter(
      (file) =>
        yaml.test(file) &&
        ![...own, ...kustomized, ...overlays.keys()].some((folder) => isWithin(folder, file)) &&
        isManifest(files.read(file)),
    ),
  );
  const apps: DetectedDeploy["apps"] = {};
  const add = (folder: string, app: DetectedDeploy["apps"][string]): void => {
    apps[freeName(folder, project, apps)] = app;
  };
  const here = (folder: string): string => (folder === "" ? "." : folder);
  const ofCharts = new Map(own.map((folder) => [folder, valuesOf(folder, candidates)]));
  const named = [...new Set([...overlays.values(), ...(overlays.size === 0 ? ofCharts.values() : [])].flat())];
  const environments = named.length === 0 ? ["local"] : named;
  for (const [folder, values] of ofCharts) add(folder, { helm: chartOf(folder, values, environments) });
  for (const above of overlays.keys()) add(above, { kustomize: path.posix.join(above, "overlays/{env}") });
  for (const folder of bases) add(folder, { kustomize: here(folder) });
  const tops = manifests.filter((folder) => !manifests.some((other) => other !== folder && isWithin(other, folder)));
  for (const folder of tops) add(folder, { manifests: [folder === "" ? "*.yaml" : `${folder}/`] });
  if (Object.keys(apps).length === 0) return undefined;
  return { apps, environments: environmentsOf(environments, label(project)) };
}

function environmentsOf(names: readonly string[], namespace: string): DetectedDeploy["environments"] {
  return Object.fromEntries(
    names.map((name) => [
      name,
      isProduction.test(name) ? { production: true, context: "CONTEXT", namespace } : { namespace },
    ]),
  );
}

/** Returns the environments for which a chart has values, e.g. `values-staging.yaml`. */
const valuesOf = (folder: string, candidates: readonly string[]): string[] =>
  candidates.flatMap((file) => {
    const [, name] = /^values-([a-z][a-z0-9-]*)\.yaml$/.exec(path.posix.relative(folder, file)) ?? [];
    return name === undefined ? [] : [name];
  });

/** Uses values files only if every environment has one, since a missing file would be an error. */
function chartOf(folder: string, values: readonly string[], environments: readonly string[]) {
  const chart = folder === "" ? "." : folder;
  const isWhole = environments.every((name) => values.includes(name));
  return isWhole ? { chart, values: [path.posix.join(folder, "values-{env}.yaml")] } : { chart };
}

const isManifest = (text: string): boolean => /^apiVersion: /m.test(text) && kinds.test(text);

const folders = (files: readonly string[]): string[] => [
  ...new Set(files.map((file) => path.posix.dirname(file)).map((folder) => (folder === "." ? "" : folder))),
];

/** Returns an unused name: the folder's, else that of the nearest meaningful parent, else the project's. */
function freeName(folder: string, project: string, taken: object): string {
  const words = folder
    .split("/")
    .toReversed()
    .filter((word) => word !== "" && !general.has(word));
  const name = label(words[0] ?? project);
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name.slice(0, 36)}-${count}`;
    if (!Object.hasOwn(taken, candidate)) return candidate;
  }
}

/** Converts a text to a valid name in `deploy.apps`. */
const label = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+/g, "")
    .slice(0, 40)
    .replace(/-$/, "") || "app";
