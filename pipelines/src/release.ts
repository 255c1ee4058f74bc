import type { Directory } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { deployEnvironment, renderedApps, runDeployer } from "./deploy.ts";
import type { PreparedTarget } from "./deploy.ts";
import type { Lock } from "./lock.ts";

/** What to release: the apps, and the image in their manifests that the published one replaces. */
export interface ReleaseRequest {
  app: string[];
  image: string;
  revision?: string;
  /** Return the report as JSON. */
  asJson?: boolean;
}

/** Placeholder for the digest of the image that is not built yet, so that everything else can be checked. */
const anyDigest = `sha256:${"0".repeat(64)}`;

/**
 * Checks cluster and manifests, calls `publish`, and deploys by the resulting digest. Returns the report. Refusals of
 * the check come before anything is built.
 */
export async function releaseProject(
  config: Config,
  source: Directory,
  lock: Lock,
  target: PreparedTarget,
  { app, image, revision, asJson }: ReleaseRequest,
  publish: () => Promise<string>,
): Promise<string> {
  const environment = deployEnvironment(config, target.environment, target);
  const name = image.split("@", 1)[0]!.replace(/:[^/:]*$/, "");
  const render = (reference: string) => renderedApps(config, source, lock, environment, app, [`${name}=${reference}`]);
  await runDeployer(config, lock, target, source, { action: "check", apps: await render(`${name}@${anyDigest}`) });
  const reference = (await publish()).trim();
  const request = {
    action: "deploy" as const,
    apps: await render(reference),
    images: [`${name}=${reference}`],
    revision,
    asJson,
  };
  const report = await runDeployer(config, lock, target, source, request);
  if (asJson === true) return JSON.stringify({ ...(JSON.parse(report) as object), published: reference });
  return `published ${reference}\n${report}`;
}
