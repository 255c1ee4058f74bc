/**
 * The pipeline of a repository that describes itself in `fastloop.yaml`: base image, dev image and tiered tests as
 * functions, the same by hand, in `fastloop` and in any CI.
 */
import { argument, check, func, object } from "@dagger.io/dagger";
import type { Container, Directory, Platform } from "@dagger.io/dagger";
import { baseImage } from "./base.ts";
import { devImage } from "./dev.ts";
import { IGNORE, ONLY_CONFIG } from "./ignore.ts";
import { readProject } from "./project.ts";
import { report } from "./report.ts";
import { runSuites } from "./suites.ts";

/** How much is tested; each tier has the ones before it in it. */
export enum Tier {
  /** The critical path, seconds. */
  smoke = "smoke",
  /** Unit and quick integration tests. */
  fast = "fast",
  /** Everything, end to end. */
  full = "full",
}

@object()
export class Fastloop {
  /**
   * The base image of `images.base`: system packages, tools, user.
   * @param platform e.g. linux/arm64; default: that of the engine
   */
  @func()
  async buildBase(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    platform?: Platform,
  ): Promise<Container> {
    const { images } = await readProject(source);
    if (images?.base === undefined) throw new Error("fastloop.yaml: there is no `images.base`");
    return baseImage(images.base, platform);
  }

  /** The dev image of `images.dev`: the base, the dependency layers, the sources. */
  @func()
  async buildDev(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<Container> {
    return devImage(await readProject(source), source);
  }

  /**
   * Runs the tests of `tests.suites` and reports on each suite and tier.
   * @param tier smoke, fast or full; a tier has the ones before it in it
   * @param suite only these suites
   */
  @func()
  async test(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    tier: Tier = Tier.fast,
    suite: string[] = [],
  ): Promise<string> {
    return report(await runSuites(await readProject(source), source, tier, suite));
  }

  /** The smoke tier of every suite. */
  @func()
  @check()
  async smoke(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, "smoke", []);
  }

  /** The smoke and fast tiers of every suite. */
  @func()
  @check()
  async fast(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, "fast", []);
  }

  /** All tiers of every suite. */
  @func()
  @check()
  async full(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, "full", []);
  }
}
