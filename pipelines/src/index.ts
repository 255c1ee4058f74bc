/**
 * The pipeline of a repository that describes itself in `fastloop.yaml`: base image, dev image, tiered tests, scan and
 * publish as functions, the same by hand, in `fastloop` and in any CI.
 */
import { argument, check, func, object } from "@dagger.io/dagger";
import type { Container, Directory, File, Platform, Secret, Service } from "@dagger.io/dagger";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import { appsByName, deployEnvironment, renderedApps, runDeployer } from "./deploy.ts";
import type { Target } from "./deploy.ts";
import { devImage } from "./dev.ts";
import { namedTarball } from "./dev-tarball.ts";
import { explainDev, layerTable } from "./explain.ts";
import { tellCommandsAlone } from "./failures.ts";
import { IGNORE, ONLY_CONFIG } from "./ignore.ts";
import { pinned, readLock } from "./lock.ts";
import { lockText, outdatedReport } from "./outdated.ts";
import { driftBetween, driftTable, inventoryOf } from "./parity.ts";
import { prodImage } from "./prod.ts";
import { baseOf, devBase, nameOf, readProject } from "./project.ts";
import { pruneRegistry } from "./prune.ts";
import { publishBase } from "./publish-base.ts";
import { publishImage } from "./publish.ts";
import { budgetOverruns, report } from "./report.ts";
import { releaseProject } from "./release.ts";
import { componentsOf, judge, readAdvisories, runScanner, sbomText } from "./scan.ts";
import { runSuites } from "./suites.ts";
import { presentTags } from "./tags.ts";
import { findingsTable, publishedImage, refuseFailures, verifyImage } from "./verify.ts";
import { testReports } from "./test-reports.ts";
import { serviceImage, upService } from "./up-services.ts";
import { textFile } from "./text-file.ts";
import { manifestsText } from "../vendor/deploy.mjs";
import { UserError } from "./user-error.ts";

/** How much is tested; each tier has the ones before it in it. */
export enum Tier {
  /** The critical path, seconds. */
  smoke = "smoke",
  /** Unit and quick integration tests. */
  fast = "fast",
  /** Everything, end to end. */
  full = "full",
}

/** What to do when the published base can't be had. */
export enum OnMissing {
  /** Build it inline. */
  build = "build",
  /** Stop and say so. */
  fail = "fail",
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
    return baseImage(baseOf(await readProject(source)), await readLock(source), { platform });
  }

  /**
   * Builds the base for every platform, verifies each, publishes one index under all tags, the moving ones last. Where the
   * content key is published already nothing is built, and the tags are put on what is there. Prints a summary in Markdown.
   * @param platforms default: images.base.platforms
   * @param tags templates; default: images.base.tags
   * @param registry repository; default: images.base.registry
   * @param force build and publish even when the key is there
   * @param refresh build and publish when the key is there, but its packages or the image that it starts from moved since
   */
  @func({ cache: "never" })
  async publishBase(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    platforms: Platform[] = [],
    tags: string[] = [],
    registry?: string,
    username?: string,
    password?: Secret,
    force: boolean = false,
    refresh: boolean = false,
  ): Promise<string> {
    const base = baseOf(await readProject(source));
    const repository = registry ?? base.registry;
    if (repository === undefined) throw new UserError("name a repository with --registry or `images.base.registry`");
    return publishBase(base, await readLock(source), {
      platforms: platforms.length > 0 ? platforms : platformsOf(base.platforms),
      tags: tags.length > 0 ? tags : undefined,
      registry: repository,
      username,
      password,
      force,
      refresh,
      now: new Date(),
    });
  }

  /**
   * Runs each tool's check for every platform and compares the versions; foreign platforms are emulated.
   * @param image a published base to verify in place of the one that would be built
   */
  @func({ cache: "session" })
  async verifyBase(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    platforms: Platform[] = [],
    image?: string,
  ): Promise<string> {
    const base = baseOf(await readProject(source));
    const lock = await readLock(source);
    const chosen = platforms.length > 0 ? platforms : platformsOf(base.platforms);
    const verify = (platform: Platform) =>
      verifyImage(
        image === undefined ? baseImage(base, lock, { platform }) : publishedImage(image, platform),
        base,
        platform,
      );
    const findings = (await Promise.all(chosen.map(verify))).flat();
    refuseFailures(findings);
    return findingsTable(findings);
  }

  /** Whether the base is published, and whether its packages or the image that it starts from moved since; what the lock has of it. */
  @func({ cache: "1h" })
  async outdatedBase(@argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory): Promise<string> {
    return outdatedReport(baseOf(await readProject(source)), await readLock(source));
  }

  /** `fastloop.lock` with the digests of today: `lock-base export --path fastloop.lock`. */
  @func({ cache: "never" })
  async lockBase(@argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory): Promise<File> {
    // One that can't be read is written anew.
    const before = await readLock(source).catch(() => undefined);
    return textFile("fastloop.lock", await lockText(await readProject(source), before?.clusters));
  }

  /**
   * Deletes old bases from the registry; never a digest that a kept index still needs, nor the locked one, nor that of the
   * present description.
   * @param keep how many are kept; default: images.base.keep, else 5
   * @param dryRun only say what would go
   */
  @func({ cache: "never" })
  async pruneBase(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    keep?: number,
    dryRun: boolean = false,
    registry?: string,
    username?: string,
    password?: Secret,
  ): Promise<string> {
    const base = baseOf(await readProject(source));
    const repository = registry ?? base.registry;
    if (repository === undefined) throw new UserError("name a repository with --registry or `images.base.registry`");
    const auth =
      username === undefined || password === undefined ? undefined : { username, password: await password.plaintext() };
    const lock = await readLock(source);
    const named = presentTags(base, baseKey(base, pinned(base.from, lock)));
    return pruneRegistry(repository, { keep: keep ?? base.keep ?? 5, lock, named, dryRun, auth });
  }

  /**
   * The dev image of `images.dev`: the base, the dependency layers, the sources.
   * @param onBaseMissing when the published base can't be had; default: images.base.onMissing, else build
   * @param noDepCache start with empty package caches
   */
  @func({ cache: "session" })
  async buildDev(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    platform?: Platform,
    onBaseMissing?: OnMissing,
    noDepCache: boolean = false,
  ): Promise<Container> {
    const config = await readProject(source);
    const base = await devBase(config, source, onBaseMissing, platform);
    return devImage(config, base, source, { project: nameOf(config), epoch: noDepCache ? `${Date.now()}` : undefined });
  }

  /** The dev image as an archive named `{project}:dev`: `dev-tarball export --path dev.tar`, then `docker load -i dev.tar`. */
  @func({ cache: "session" })
  async devTarball(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<File> {
    const config = await readProject(source);
    const image = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    return namedTarball(image, `${nameOf(config).toLowerCase()}:dev`, await readLock(source));
  }

  /** Builds the dev image and says for each layer whether it was cached, and how often it was so far. */
  @func({ cache: "never" })
  async explainDev(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<string> {
    const config = await readProject(source);
    return layerTable(
      await explainDev(config, await devBase(config, source), source, await readLock(source), {
        project: nameOf(config),
      }),
    );
  }

  /**
   * Runs the tests of `tests.suites` and reports on each suite and tier.
   * @param tier smoke, fast or full; a tier has the ones before it in it
   * @param suite only these suites
   * @param enforceBudget fail when a tier took longer than its budget
   * @param shard i/n: only that part of each suite
   * @param changed only what these files (relative to the project) can affect; all where that is not sure
   */
  @func()
  async test(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    tier: Tier = Tier.fast,
    suite: string[] = [],
    enforceBudget: boolean = false,
    shard?: string,
    changed: string[] = [],
  ): Promise<string> {
    const config = await readProject(source);
    const request = { tier, suites: suite, shard, changed: changed.length > 0 ? changed : undefined };
    const results = await runSuites(config, source, request);
    const overruns = budgetOverruns(config, results);
    if (enforceBudget && overruns.length > 0) throw new UserError(overruns.join("\n"));
    return report(results, overruns);
  }

  /**
   * Runs the same tests for their reports: SUITE/TIER/junit.xml, output and exit code. A failing test fails nothing here.
   * @param shard i/n: only that part of each suite
   * @param changed only what these files can affect
   * @param coverage with coverage, for runners that are set up for it
   */
  @func()
  async testReports(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    tier: Tier = Tier.fast,
    suite: string[] = [],
    shard?: string,
    changed: string[] = [],
    coverage: boolean = false,
  ): Promise<Directory> {
    const request = { tier, suites: suite, shard, changed: changed.length > 0 ? changed : undefined };
    return testReports(await readProject(source), source, request, coverage);
  }

  /** The smoke tier of every suite. */
  @func()
  @check()
  async smoke(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "smoke" });
  }

  /** The smoke and fast tiers of every suite. */
  @func()
  @check()
  async fast(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "fast" });
  }

  /** All tiers of every suite. */
  @func()
  @check()
  async full(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "full" });
  }

  /** The dev image with its sources, for `shell terminal`. */
  @func({ cache: "never" })
  async shell(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<Container> {
    const config = await readProject(source);
    return devImage(config, await devBase(config, source), source, { project: nameOf(config) });
  }

  /**
   * A service of `services`, with all that it needs: `service --name api up`.
   * @param needs services that are there already, in place of those of the configuration
   * @param needNames the names of `needs`, in the same order
   */
  @func({ cache: "session" })
  async service(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    name: string,
    needs: Service[] = [],
    needNames: string[] = [],
  ): Promise<Service> {
    const given = new Map(needs.map((service, index) => [needNames[index] ?? "", service]));
    return upService(await readProject(source), source, name, given);
  }

  /** The image of a service of `services`, without what it needs. */
  @func()
  async serviceImage(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    name: string,
  ): Promise<Container> {
    return serviceImage(await readProject(source), source, name);
  }

  /** The production image of `images.prod`. */
  @func()
  async buildProd(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    platform?: Platform,
  ): Promise<Container> {
    return prodOf(source, platform);
  }

  /** Compares packages and environment of the dev and production images; fails on drift. */
  @func()
  async parity(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<string> {
    const config = await readProject(source);
    const dev = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    const [inDev, inProd] = await Promise.all([inventoryOf(dev), inventoryOf(await prodOf(source))]);
    const drifts = driftBetween(inDev, inProd);
    if (drifts.length > 0) throw new UserError(`production is not what was developed on:\n${driftTable(drifts)}`);
    return driftTable(drifts);
  }

  /** What is in the dev image and the lock files, in SPDX or CycloneDX (`scan.format`). */
  @func({ cache: "24h" })
  async sbom(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<File> {
    const config = await readProject(source);
    const image = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    return textFile("sbom.json", sbomText(config, await componentsOf(image, source), new Date().toISOString()));
  }

  /**
   * Matches what is in the image and the lock files against advisories, or has `scan.tool` do so; fails from `scan.severity` on.
   * @param advisories list of OSV records, a path in the project or a URL; default: scan.advisories
   */
  @func({ cache: "1h" })
  async scan(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory, advisories?: string): Promise<string> {
    const config = await readProject(source);
    const image = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    const components = await componentsOf(image, source);
    const { tool } = config.scan ?? {};
    if (tool !== undefined && advisories === undefined) {
      return runScanner(
        tool,
        image,
        textFile("sbom.json", sbomText(config, components, "1970-01-01T00:00:00Z")),
        await readLock(source),
      );
    }
    const place = advisories ?? config.scan?.advisories;
    if (place === undefined) throw new UserError("name the advisories with --advisories or `scan.advisories`");
    return judge(config, components, await readAdvisories(place, source));
  }

  /**
   * Publishes the production image (the dev image where there is none) for all platforms as one index; prints its digest.
   * @param address default: publish.image
   * @param revision the commit, for the labels
   * @param created the commit's time (RFC 3339), so that builds reproduce
   */
  @func({ cache: "never" })
  async publish(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    address?: string,
    platforms: Platform[] = [],
    revision?: string,
    created?: string,
    username?: string,
    password?: Secret,
  ): Promise<string> {
    const config = await readProject(source);
    const chosen = platforms.length > 0 ? platforms : platformsOf(config.publish?.platforms);
    const variants = await Promise.all(chosen.map((platform) => shippedOf(source, platform)));
    return publishImage(config, variants, { address, revision, created, username, password });
  }

  /**
   * The manifests of `deploy.apps` as they are applied to an environment, images by digest. No cluster is asked.
   * @param env one of deploy.environments
   * @param app only these apps
   * @param image NAME=REFERENCE@sha256:DIGEST, in place of what the manifests name
   */
  @func({ cache: "session" })
  async render(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    env: string,
    app: string[] = [],
    image: string[] = [],
  ): Promise<File> {
    const config = await readProject(source);
    const apps = await renderedApps(config, source, await readLock(source), deployEnvironment(config, env), app, image);
    const commands = apps.flatMap(({ name, custom }) =>
      custom === undefined ? [] : `# ${name}: deployed by a command\n`,
    );
    return textFile("manifests.yaml", commands.join("") + manifestsText(apps.flatMap(({ manifests }) => manifests)));
  }

  /**
   * What a deploy would change, field by field, by a dry run on the API server. Nothing is written.
   * @param context of the kubeconfig; default: that of the environment
   * @param cluster the API server where it is on your own machine, e.g. tcp://127.0.0.1:6443
   */
  @func({ cache: "never" })
  async diff(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    kubeconfig: Secret,
    env: string,
    context?: string,
    namespace?: string,
    cluster?: Service,
    app: string[] = [],
    image: string[] = [],
    asJson: boolean = false,
  ): Promise<string> {
    const config = await readProject(source);
    const lock = await readLock(source);
    const apps = await renderedApps(config, source, lock, deployEnvironment(config, env), app, image);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster };
    return runDeployer(config, lock, target, source, { action: "diff", apps, asJson });
  }

  /**
   * Applies the manifests to an environment, waits until all is ready, and records the release in the cluster. All of it is
   * dry-run by the API server before anything is written.
   * @param env one of deploy.environments
   * @param context of the kubeconfig; default: that of the environment
   * @param cluster the API server where it is on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app only these apps
   * @param image NAME=REFERENCE@sha256:DIGEST, in place of what the manifests name
   * @param yes the name of the environment, where that is production
   * @param timeout how long an app may take to become ready; default: that of the environment
   * @param revision the commit, for the history
   * @param asJson the report as data
   */
  @func({ cache: "never" })
  async deploy(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    kubeconfig: Secret,
    env: string,
    context?: string,
    namespace?: string,
    cluster?: Service,
    app: string[] = [],
    image: string[] = [],
    yes?: string,
    timeout?: string,
    revision?: string,
    asJson: boolean = false,
  ): Promise<string> {
    const config = await readProject(source);
    const lock = await readLock(source);
    const apps = await renderedApps(config, source, lock, deployEnvironment(config, env), app, image);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster, yes, timeout };
    return runDeployer(config, lock, target, source, { action: "deploy", apps, images: image, revision, asJson });
  }

  /**
   * Applies the manifests of an earlier release again, as a new release.
   * @param to number of the release; default: the last one that was deployed before this one
   */
  @func({ cache: "never" })
  async rollback(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    kubeconfig: Secret,
    env: string,
    context?: string,
    namespace?: string,
    cluster?: Service,
    app: string[] = [],
    to?: number,
    yes?: string,
    timeout?: string,
    asJson: boolean = false,
  ): Promise<string> {
    const config = await readProject(source);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster, yes, timeout };
    return runDeployer(config, await readLock(source), target, source, {
      action: "rollback",
      apps: appsByName(config, app, env),
      to,
      asJson,
    });
  }

  /**
   * Deletes what apps have in an environment: the objects that a deploy of theirs made, less what holds data. An app of commands
   * has its `delete` run.
   * @param app these apps, at least one
   */
  @func({ cache: "never" })
  async undeploy(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    kubeconfig: Secret,
    env: string,
    app: string[],
    context?: string,
    namespace?: string,
    cluster?: Service,
    yes?: string,
    timeout?: string,
    revision?: string,
    asJson: boolean = false,
  ): Promise<string> {
    if (app.length === 0) throw new UserError("name the apps with --app");
    const config = await readProject(source);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster, yes, timeout };
    return runDeployer(config, await readLock(source), target, source, {
      action: "undeploy",
      apps: appsByName(config, app, env),
      revision,
      asJson,
    });
  }

  /** The releases of an environment, and how what is there differs from what was deployed. */
  @func({ cache: "never" })
  async deployStatus(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    kubeconfig: Secret,
    env: string,
    context?: string,
    namespace?: string,
    cluster?: Service,
    app: string[] = [],
    asJson: boolean = false,
  ): Promise<string> {
    const config = await readProject(source);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster };
    return runDeployer(config, await readLock(source), target, source, {
      action: "status",
      apps: appsByName(config, app, env),
      asJson,
    });
  }

  /**
   * Publishes the production image for all platforms and deploys it by the digest that came of it. The cluster, the rights and
   * the manifests are checked before anything is built.
   * @param address default: publish.image
   * @param revision the commit, for labels and history
   */
  @func({ cache: "never" })
  async release(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    kubeconfig: Secret,
    env: string,
    context?: string,
    namespace?: string,
    cluster?: Service,
    app: string[] = [],
    yes?: string,
    timeout?: string,
    address?: string,
    platforms: Platform[] = [],
    revision?: string,
    created?: string,
    username?: string,
    password?: Secret,
    asJson: boolean = false,
  ): Promise<string> {
    const config = await readProject(source);
    const target: Target = { kubeconfig, environment: env, context, namespace, cluster, yes, timeout };
    const published = address ?? config.publish?.image;
    if (published === undefined) throw new UserError("name an address with --address or `publish.image`");
    const asked = { app, image: published, revision, asJson };
    return releaseProject(config, source, await readLock(source), target, asked, () =>
      this.publish(source, published, platforms, revision, created, username, password),
    );
  }
}

tellCommandsAlone(Fastloop.prototype);

const platformsOf = (names: readonly string[] = ["linux/amd64"]): Platform[] => names as Platform[];

async function prodOf(source: Directory, platform?: Platform): Promise<Container> {
  const config = await readProject(source);
  const prod = config.images?.prod;
  if (prod === undefined) throw new UserError("fastloop.yaml: there is no `images.prod`");
  const dev = devImage(config, await devBase(config, source, undefined, platform), source, { project: nameOf(config) });
  return prodImage(prod, dev, await readLock(source), platform);
}

async function shippedOf(source: Directory, platform: Platform): Promise<Container> {
  const config = await readProject(source);
  if (config.images?.prod !== undefined) return prodOf(source, platform);
  return devImage(config, await devBase(config, source, undefined, platform), source, { project: nameOf(config) });
}
