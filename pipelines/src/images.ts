import { dag } from "@dagger.io/dagger";
import type { Container, Platform } from "@dagger.io/dagger";
import { presets, resolveService, resolveSuite } from "../vendor/config.mjs";
import type { Config, DevImageConfig } from "../vendor/config.mjs";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";

/** Runs fastloop's own small scripts: the journal of layers, and the archive of the dev image. */
const helperImage = "debian:bookworm-slim";
/** Runs the deployer, and is what kubectl and helm are installed into if `deploy.tools` is not set. */
export const deployerImage = "node:22-bookworm-slim";

/**
 * Returns an image by its name in fastloop.yaml, at the digest in the lock if there is one. Every function takes its
 * images from here, so that the lock applies to all of them.
 */
export function imageOf(name: string, lock: Lock, platform?: Platform): Container {
  return dag.container(platform === undefined ? undefined : { platform }).from(pinned(name, lock));
}

export const helper = (lock: Lock): Container => imageOf(helperImage, lock);

/** Returns the names of all images that functions of this configuration start from and that the lock pins, sorted. */
export function imageNames({
  images,
  tests,
  scan,
  deploy,
  services: started,
}: Pick<Config, "images" | "tests" | "scan" | "deploy" | "services">): string[] {
  const { base, dev, prod } = images ?? {};
  const suites = Object.values(tests?.suites ?? {}).map((suite) => resolveSuite(suite).image);
  const services = Object.values(tests?.services ?? {}).map((service) => resolveService(service).image);
  const live = Object.values(started ?? {}).map(({ image, preset, packages }) =>
    preset === undefined ? image : resolveService({ image, preset, packages }).image,
  );
  const names = [
    base?.from,
    ...(dev === undefined ? [] : [devImageName(dev, base !== undefined), helperImage]),
    prod?.from,
    ...suites,
    ...services,
    ...live,
    scan?.tool?.image,
    ...(deploy === undefined ? [] : [deploy.image ?? deployerImage, deploy.tools ?? toolsStart(deploy)]),
  ];
  // `base`, `dev` and `prod` are built by the module, and a name with a digest is already pinned.
  const isName = (name: string | undefined): name is string =>
    name !== undefined && name !== "base" && name !== "dev" && name !== "prod" && !name.includes("@");
  return [...new Set(names.filter(isName))].toSorted();
}

/** Returns the image that the tools are installed into, if an app needs helm or kustomize. */
const toolsStart = ({ apps }: NonNullable<Config["deploy"]>): string | undefined =>
  Object.values(apps).some(({ helm, kustomize }) => helm !== undefined || kustomize !== undefined)
    ? deployerImage
    : undefined;

/** Returns the image that the dev image starts from; undefined if it is the project's base image. */
export function devImageName(dev: DevImageConfig, hasBase: boolean): string | undefined {
  if (dev.base !== undefined && dev.base !== "base") return dev.base;
  return hasBase || dev.preset === undefined ? undefined : presets[dev.preset].image;
}
