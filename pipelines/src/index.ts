/**
 * Turns a repository's `fastloop.yaml` into functions: base image, dev image, tests in tiers, scan, publish and deploy.
 * They run the same by hand, in `fastloop run` and `watch`, and in any CI.
 */
import { argument, check, func, object } from "@dagger.io/dagger";
import type { Container, Directory, File, Platform, Secret, Service } from "@dagger.io/dagger";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import { appsByName, deployEnvironment, prepareTarget, renderedApps, runDeployer } from "./deploy.ts";
import { devImage } from "./dev.ts";
import { namedTarball } from "./dev-tarball.ts";
import { explainDev, layerTable } from "./explain.ts";
import { withoutPositions } from "./failures.ts";
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

/** How much to test. Each tier includes the ones before it. */
export enum Tier {
  /** The critical path, in seconds. */
  smoke = "smoke",
  /** Unit and quick integration tests. */
  fast = "fast",
  /** Everything, end to end. */
  full = "full",
}

/** What to do when the published base image is not available. */
export enum OnMissing {
  /** Build it as part of the call. */
  build = "build",
  /** Fail before anything is built. */
  fail = "fail",
}

@object()
export class Fastloop {
  /**
   * Builds the base image of `images.base`: system packages, tools, global npm packages, user.
   * @param platform e.g. linux/arm64; default: the engine's platform
   */
  @func()
  async buildBase(
    @argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory,
    platform?: Platform,
  ): Promise<Container> {
    return baseImage(baseOf(await readProject(source)), await readLock(source), { platform });
  }

  /**
   * Builds the base image for all platforms, verifies each, and publishes one index under all tags, floating tags last.
   * If the registry already has the content key, builds nothing and tags the existing digest. Returns a summary in
   * Markdown.
   * @param platforms default: images.base.platforms, else linux/amd64
   * @param tags tag templates, e.g. base-{version}; default: images.base.tags
   * @param registry the repository, e.g. ghcr.io/acme/base; default: images.base.registry
   * @param username for the registry
   * @param password for the registry, e.g. env://REGISTRY_PASSWORD
   * @param force build and publish even if the registry already has the content key
   * @param refresh build and publish again if packages or the `from` image have changed since the base was published
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
    if (repository === undefined) throw new UserError("no repository: pass --registry or set `images.base.registry`");
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
   * Runs each tool's check on every platform, compares versions and checks the size. Foreign platforms are emulated.
   * Returns a table in Markdown; fails if a check fails.
   * @param platforms default: images.base.platforms, else linux/amd64
   * @param image the reference of a published base image to verify; default: builds one
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

  /**
   * Reports whether the base image is published and up to date.
   * Compares its packages with an installation today, and its `from` in fastloop.lock with the registry's digest.
   */
  @func({ cache: "1h" })
  async outdatedBase(@argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory): Promise<string> {
    return outdatedReport(baseOf(await readProject(source)), await readLock(source));
  }

  /** Returns fastloop.lock with the current digests of all images: `lock-base export --path fastloop.lock`. */
  @func({ cache: "never" })
  async lockBase(@argument({ defaultPath: "/", ignore: ONLY_CONFIG }) source: Directory): Promise<File> {
    // An unreadable lock is replaced.
    const before = await readLock(source).catch(() => undefined);
    return textFile("fastloop.lock", await lockText(await readProject(source), before?.clusters));
  }

  /**
   * Deletes old base images from the registry.
   * Keeps the newest, the locked one, the current description's, those with a tag that ends in latest, and everything
   * that a kept index refers to.
   * @param keep how many of the newest images to keep; default: images.base.keep, else 5
   * @param dryRun report what would be deleted and delete nothing
   * @param registry the repository; default: images.base.registry
   * @param username for the registry
   * @param password for the registry, e.g. env://REGISTRY_PASSWORD
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
    if (repository === undefined) throw new UserError("no repository: pass --registry or set `images.base.registry`");
    const auth =
      username === undefined || password === undefined ? undefined : { username, password: await password.plaintext() };
    const lock = await readLock(source);
    const named = presentTags(base, baseKey(base, pinned(base.from, lock)));
    return pruneRegistry(repository, { keep: keep ?? base.keep ?? 5, lock, named, dryRun, auth });
  }

  /**
   * Builds the dev image of `images.dev`: the base image, the dependency layers, then the sources.
   * @param platform e.g. linux/arm64; default: the engine's platform
   * @param onBaseMissing if the published base image is not available; default: images.base.onMissing, else build
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

  /** Returns the dev image as an archive `{project}:dev`, for `docker load`: `dev-tarball export --path dev.tar`. */
  @func({ cache: "session" })
  async devTarball(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<File> {
    const config = await readProject(source);
    const image = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    return namedTarball(image, `${nameOf(config).toLowerCase()}:dev`, await readLock(source));
  }

  /** Builds the dev image and reports a cache hit or miss for each layer, with its hit rate so far. */
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
   * Runs the test suites of `tests.suites` and returns a report with one line per suite and tier.
   * @param tier smoke, fast or full; each includes the tiers before it
   * @param suite run only these suites
   * @param enforceBudget fail if a tier takes longer than its budget
   * @param shard run one part of each suite, e.g. 1/3
   * @param changed run only tests that these files can affect (paths relative to the project); in case of doubt, all
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
   * Runs the test suites and returns SUITE/TIER/{junit.xml,output.txt,exit-code}. Does not fail if a test fails.
   * @param tier smoke, fast or full; each includes the tiers before it
   * @param suite run only these suites
   * @param shard run one part of each suite, e.g. 1/3
   * @param changed run only tests that these files can affect (paths relative to the project); in case of doubt, all
   * @param coverage add coverage; pytest needs pytest-cov, vitest a coverage provider
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

  /** Runs the smoke tier of all suites. */
  @func()
  @check()
  async smoke(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "smoke" });
  }

  /** Runs the smoke and fast tiers of all suites. */
  @func()
  @check()
  async fast(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "fast" });
  }

  /** Runs all tiers of all suites. */
  @func()
  @check()
  async full(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<void> {
    await runSuites(await readProject(source), source, { tier: "full" });
  }

  /** Returns the dev image with the sources; `shell terminal` opens a terminal in it. */
  @func({ cache: "never" })
  async shell(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<Container> {
    const config = await readProject(source);
    return devImage(config, await devBase(config, source), source, { project: nameOf(config) });
  }

  /**
   * Returns a service of `services`, bound to the services that it needs: `service --name api up`.
   * @param name its name in `services`
   * @param needs running services to bind to, in place of those that the configuration describes
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

  /**
   * Builds the image of a service of `services`, without the services that it needs.
   * @param name its name in `services`
   */
  @func()
  async serviceImage(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    name: string,
  ): Promise<Container> {
    return serviceImage(await readProject(source), source, name);
  }

  /**
   * Builds the production image of `images.prod`.
   * @param platform e.g. linux/arm64; default: the engine's platform
   */
  @func()
  async buildProd(
    @argument({ defaultPath: "/", ignore: IGNORE }) source: Directory,
    platform?: Platform,
  ): Promise<Container> {
    return prodOf(source, platform);
  }

  /** Compares packages and environment of the dev and production images. Fails if they differ. */
  @func()
  async parity(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<string> {
    const config = await readProject(source);
    const dev = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    const [inDev, inProd] = await Promise.all([inventoryOf(dev), inventoryOf(await prodOf(source))]);
    const drifts = driftBetween(inDev, inProd);
    if (drifts.length > 0)
      throw new UserError(`the production image differs from the dev image:\n${driftTable(drifts)}`);
    return driftTable(drifts);
  }

  /** Returns the SBOM of the dev image and the lock files, as SPDX or CycloneDX JSON (`scan.format`). */
  @func({ cache: "24h" })
  async sbom(@argument({ defaultPath: "/", ignore: IGNORE }) source: Directory): Promise<File> {
    const config = await readProject(source);
    const image = devImage(config, await devBase(config, source), source, { project: nameOf(config) });
    return textFile("sbom.json", sbomText(config, await componentsOf(image, source), new Date().toISOString()));
  }

  /**
   * Checks the dev image and the lock files against OSV advisories, or runs `scan.tool`.
   * Fails if a finding has at least the severity `scan.severity` (default: high).
   * @param advisories a list of OSV records: a path in the project or a URL; default: scan.advisories
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
    if (place === undefined) throw new UserError("no advisories: pass --advisories or set `scan.advisories`");
    return judge(config, components, await readAdvisories(place, source));
  }

  /**
   * Publishes the production image, or the dev image if there is no `images.prod`, for all platforms as one index.
   * Returns the reference with its digest.
   * @param address e.g. ghcr.io/acme/app:1.2; default: publish.image
   * @param platforms default: publish.platforms, else linux/amd64
   * @param revision the commit, for the image's labels
   * @param created the commit's time (RFC 3339), for the image's labels
   * @param username for the registry
   * @param password for the registry, e.g. env://REGISTRY_PASSWORD
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
   * Renders the manifests of `deploy.apps` for an environment, with images by digest. Contacts no cluster.
   * @param env an environment of `deploy.environments`
   * @param app render only these apps
   * @param image replace the image NAME in the manifests: NAME=REFERENCE@sha256:DIGEST
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
   * Shows what a deploy would change, field by field, from a dry run on the API server. Writes nothing.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app compare only these apps
   * @param image replace the image NAME in the manifests: NAME=REFERENCE@sha256:DIGEST
   * @param asJson return JSON
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
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster });
    const config = await readProject(source);
    const lock = await readLock(source);
    const apps = await renderedApps(config, source, lock, deployEnvironment(config, env), app, image);
    return runDeployer(config, lock, target, source, { action: "diff", apps, asJson });
  }

  /**
   * Applies the manifests to an environment, waits until the apps are ready, and records the release in the cluster.
   * The API server checks everything in a dry run before anything is written.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app deploy only these apps
   * @param image replace the image NAME in the manifests: NAME=REFERENCE@sha256:DIGEST
   * @param yes confirms a production environment: its name
   * @param timeout how long an app may take to become ready, e.g. 5m; default: the environment's
   * @param revision the commit, for the release history
   * @param asJson return JSON
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
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster, yes, timeout });
    const config = await readProject(source);
    const lock = await readLock(source);
    const apps = await renderedApps(config, source, lock, deployEnvironment(config, env), app, image);
    return runDeployer(config, lock, target, source, { action: "deploy", apps, images: image, revision, asJson });
  }

  /**
   * Applies the manifests of an earlier release again, as a new release.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app roll back only these apps
   * @param to the release's number; default: the last deployed release before the current one
   * @param yes confirms a production environment: its name
   * @param timeout how long an app may take to become ready, e.g. 5m; default: the environment's
   * @param asJson return JSON
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
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster, yes, timeout });
    const config = await readProject(source);
    return runDeployer(config, await readLock(source), target, source, {
      action: "rollback",
      apps: appsByName(config, app, env),
      to,
      asJson,
    });
  }

  /**
   * Deletes the objects that deploys of the apps created, except objects that hold data.
   * For an app with commands (`custom`), runs its `delete`.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param app the apps to delete; at least one
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param yes confirms a production environment: its name
   * @param timeout how long a `delete` command may take, e.g. 5m; default: the environment's
   * @param revision the commit, for the release history
   * @param asJson return JSON
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
    if (app.length === 0) throw new UserError("no app to delete: pass --app");
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster, yes, timeout });
    const config = await readProject(source);
    return runDeployer(config, await readLock(source), target, source, {
      action: "undeploy",
      apps: appsByName(config, app, env),
      revision,
      asJson,
    });
  }

  /**
   * Shows the releases of an environment, and how the cluster differs from what was deployed.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app show only these apps
   * @param asJson return JSON
   */
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
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster });
    const config = await readProject(source);
    return runDeployer(config, await readLock(source), target, source, {
      action: "status",
      apps: appsByName(config, app, env),
      asJson,
    });
  }

  /**
   * Publishes the production image for all platforms and deploys it by the resulting digest.
   * Checks the cluster, the permissions and the manifests before anything is built.
   * @param kubeconfig e.g. file://$HOME/.kube/config or env://KUBECONFIG_TEXT
   * @param env an environment of `deploy.environments`
   * @param context a context of the kubeconfig; default: the environment's
   * @param namespace default: the environment's, else the context's
   * @param cluster the API server, if it listens on your own machine, e.g. tcp://127.0.0.1:6443
   * @param app deploy only these apps
   * @param yes confirms a production environment: its name
   * @param timeout how long an app may take to become ready, e.g. 5m; default: the environment's
   * @param address e.g. ghcr.io/acme/app:1.2; default: publish.image
   * @param platforms default: publish.platforms, else linux/amd64
   * @param revision the commit, for the image's labels and the release history
   * @param created the commit's time (RFC 3339), for the image's labels
   * @param username for the registry
   * @param password for the registry, e.g. env://REGISTRY_PASSWORD
   * @param asJson return JSON
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
    const target = prepareTarget({ kubeconfig, environment: env, context, namespace, cluster, yes, timeout });
    const config = await readProject(source);
    const published = address ?? config.publish?.image;
    if (published === undefined) throw new UserError("no address: pass --address or set `publish.image`");
    const asked = { app, image: published, revision, asJson };
    return releaseProject(config, source, await readLock(source), target, asked, () =>
      this.publish(source, published, platforms, revision, created, username, password),
    );
  }
}

withoutPositions(Fastloop.prototype);

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
