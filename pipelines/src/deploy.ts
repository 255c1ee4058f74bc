import type { Directory, Secret, Service } from "@dagger.io/dagger";
import { durationMs } from "../vendor/config.mjs";
import type { Config } from "../vendor/config.mjs";
import type { App, Environment, Request } from "../vendor/deploy.mjs";
import { deployerProgram } from "../vendor/deployer.mjs";
import { commandContainer, customOf } from "./deploy-custom.ts";
import { appsOf } from "./deploy-manifests.ts";
import { programFailure } from "./failures.ts";
import { deployerImage, imageOf } from "./images.ts";
import type { Lock } from "./lock.ts";
import { Refused, refusing } from "./refused.ts";
import { textFile } from "./text-file.ts";

/** How a cluster is reached, and what the caller says beside fastloop.yaml. */
export interface Target {
  kubeconfig: Secret;
  environment: string;
  context?: string;
  namespace?: string;
  /** The API server, where it listens on loopback of the user's machine. */
  cluster?: Service;
  timeout?: string;
  yes?: string;
}

/** An environment by its name, with every default filled in. */
export function deployEnvironment(
  config: Config,
  name: string,
  { namespace, timeout }: Partial<Target> = {},
): Environment {
  const environments = config.deploy?.environments ?? {};
  const found = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (found === undefined) {
    const known = Object.keys(environments).join(", ");
    throw new Refused(
      `fastloop.yaml: there is no environment \`${name}\` in \`deploy.environments\`; there are: ${known || "none"}`,
    );
  }
  if (namespace !== undefined && found.namespace !== undefined && namespace !== found.namespace)
    throw new Refused(`${name} is in the namespace ${found.namespace}, and --namespace says ${namespace}`);
  const { timeout: written, watch: _ofTheCommandLine, ...rest } = found;
  return {
    ...rest,
    name,
    namespace: found.namespace ?? namespace,
    production: found.production ?? false,
    clusterScoped: found.clusterScoped ?? false,
    namespaces: found.namespaces ?? [],
    prune: found.prune ?? false,
    forceConflicts: found.forceConflicts ?? false,
    onFailure: found.onFailure ?? "keep",
    failFast: found.failFast ?? false,
    timeoutMs: durationMs(timeout ?? written ?? "5m"),
    history: found.history ?? 10,
  };
}

/** Rendered apps of an environment; of all apps where none is named. */
export function renderedApps(
  config: Config,
  source: Directory,
  lock: Lock,
  environment: Environment,
  apps: string[],
  images: string[],
): Promise<App[]> {
  const wanted = { environment: environment.name, apps, images, strict: environment.production };
  return refusing(() => appsOf(config, source, lock, wanted));
}

/** Apps without their manifests, for what reads the cluster's own records. */
export function appsByName(config: Config, names: readonly string[], environment: string): App[] {
  const described = config.deploy?.apps ?? {};
  const known = Object.keys(described);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Refused(
      `fastloop.yaml: there is no app \`${unknown}\` in \`deploy.apps\`; there are: ${known.join(", ") || "none"}`,
    );
  return (names.length > 0 ? [...names] : known).map((name) => {
    const app = described[name];
    return { name, manifests: [], ...(app && customOf(name, app, environment)) };
  });
}

/** The cluster that the first deploy of an environment wrote to the lock. */
function pinOf({ clusters = {} }: Lock, environment: string): string | undefined {
  return Object.hasOwn(clusters, environment) ? clusters[environment] : undefined;
}

/** Has the deployer carry out one request in a container of its own, and never takes its answer from a cache. */
export async function runDeployer(
  config: Config,
  lock: Lock,
  target: Target,
  source: Directory,
  asked: Pick<Request, "action" | "apps"> & Partial<Request>,
): Promise<string> {
  const described = deployEnvironment(config, target.environment, target);
  const environment = { ...described, cluster: described.cluster ?? pinOf(lock, described.name) };
  const host = "cluster";
  const request: Request = {
    context: target.context,
    yes: target.yes,
    ...(target.cluster === undefined ? {} : { host }),
    ...asked,
    environment,
  };
  const isRunning = asked.action === "deploy" || asked.action === "undeploy";
  const image =
    isRunning && asked.apps.some(({ custom }) => custom !== undefined)
      ? await commandContainer(config, source, lock, environment.name, asked.apps)
      : imageOf(config.deploy?.image ?? deployerImage, lock);
  const container = image
    .withMountedFile("/run/fastloop/deployer.mjs", textFile("deployer.mjs", deployerProgram))
    .withMountedFile("/run/fastloop/request.json", textFile("request.json", JSON.stringify(request)))
    .withMountedSecret("/run/fastloop/kubeconfig", target.kubeconfig)
    .withEnvVariable("FASTLOOP_DEPLOYER_IN_CONTAINER", "1")
    .withEnvVariable("FASTLOOP_DEPLOY_AT", `${Date.now()} ${Math.random()}`);
  const bound = target.cluster === undefined ? container : container.withServiceBinding(host, target.cluster);
  const folder = "/run/fastloop";
  try {
    const command = ["node", `${folder}/deployer.mjs`, `${folder}/request.json`, `${folder}/kubeconfig`];
    return await bound.withExec(command).stdout();
  } catch (failure) {
    throw programFailure(failure);
  }
}
