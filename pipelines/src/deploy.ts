import type { Directory, File, Secret, Service } from "@dagger.io/dagger";
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

/** How to reach a cluster, and the options of a call that fastloop.yaml does not have. */
export interface Target {
  kubeconfig: Secret;
  environment: string;
  context?: string;
  namespace?: string;
  /** The API server, if it listens on loopback of the user's machine. */
  cluster?: Service;
  /** A duration such as `5m`; overrides the environment's. */
  timeout?: string;
  /** The environment's name, which confirms a production environment. */
  yes?: string;
}

/** A target that the engine is being made ready for. */
export interface PreparedTarget extends Target {
  /** The deployer, as the engine has it. */
  program: Promise<File>;
}

/**
 * Hands the deployer to the engine, and starts the service that leads to a server on loopback, while the function still
 * reads and renders. What fails here is tried again when it is used, and reported then.
 */
export function prepareTarget(target: Target): PreparedTarget {
  target.cluster?.start().catch(() => undefined);
  const file = textFile("deployer.mjs", deployerProgram);
  return { ...target, program: file.sync().catch(() => file) };
}

/** Returns an environment with defaults filled in. Throws `Refused` if it is unknown or has another namespace. */
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
    throw new Refused(`--namespace ${namespace}: ${name} is in the namespace ${found.namespace}`);
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

/** Returns the rendered apps of an environment; all apps if `apps` is empty. Throws `Refused` for mistakes in them. */
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

/** Returns apps without manifests, for actions that read the releases in the cluster. All apps if `names` is empty. */
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

/** Returns the identity of the cluster that the environment's first deploy recorded in the lock. */
function pinOf({ clusters = {} }: Lock, environment: string): string | undefined {
  return Object.hasOwn(clusters, environment) ? clusters[environment] : undefined;
}

/**
 * Runs the deployer on one request in its own container and returns its report. Never cached. The kubeconfig is a
 * secret mount. If the deployer fails, throws an error with its message and exit code.
 */
export async function runDeployer(
  config: Config,
  lock: Lock,
  target: PreparedTarget,
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
    .withMountedFile("/run/fastloop/deployer.mjs", await target.program)
    .withNewFile("/run/fastloop/request.json", JSON.stringify(request))
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
