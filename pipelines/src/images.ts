import { dag } from "@dagger.io/dagger";
import type { Container, Platform } from "@dagger.io/dagger";
import { presets, resolveService, resolveSuite } from "../vendor/config.mjs";
import type { Config, DevImageConfig } from "../vendor/config.mjs";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";

/** What runs small programs of ours: the journal of the dev image's layers, the archive that names itself. */
const helperImage = "debian:bookworm-slim";
/** What runs the deployer, and where no image of tools is named, what they are put into. */
export const deployerImage = "node:22-bookworm-slim";

/** An image by the name that fastloop.yaml has for it, at the digest that the lock has. All functions start from images by this one. */
export function imageOf(name: string, lock: Lock, platform?: Platform): Container {
  return dag.container(platform === undefined ? undefined : { platform }).from(pinned(name, lock));
}

export const helper = (lock: Lock): Container => imageOf(helperImage, lock);

/** The names of all images that some function of this configuration starts from: what a lock has to pin. */
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
  // `base`, `dev` and `prod` are made here, and a name with a digest is pinned already.
  const isName = (name: string | undefined): name is string =>
    name !== undefined && name !== "base" && name !== "dev" && name !== "prod" && !name.includes("@");
  return [...new Set(names.filter(isName))].toSorted();
}

/** What the tools are put into, where an app is rendered by one. */
const toolsStart = ({ apps }: NonNullable<Config["deploy"]>): string | undefined =>
  Object.values(apps).some(({ helm, kustomize }) => helm !== undefined || kustomize !== undefined)
    ? deployerImage
    : undefined;

/** The image that the dev image starts from where `images.dev` names one itself; undefined: the project's base. */
export function devImageName(dev: DevImageConfig, hasBase: boolean): string | undefined {
  if (dev.base !== undefined && dev.base !== "base") return dev.base;
  return hasBase || dev.preset === undefined ? undefined : presets[dev.preset].image;
}
