import { Document, isMap, isPair, visit, type Scalar, type YAMLMap } from "yaml";
import { presets } from "../config/index.ts";
import type { DetectedDeploy, DetectedSuite, Detection } from "./types.ts";

export interface ScaffoldOptions {
  /** Name of the project. */
  project: string;
  /** Value of `module:`; undefined if the repository has a module of its own. */
  module?: string;
  /** Registry of the base image, if there is one. */
  baseRegistry?: string;
  /** Kubernetes configuration that was found. */
  deploy?: DetectedDeploy;
  /** Services for `fastloop up`, and the file that they come from. */
  services?: { from: string; services: object; up: object };
  /** Whether the repository's formatter wants single quotes. */
  singleQuotes?: boolean;
}

/** Returns the first `fastloop.yaml` of a project, with everything that was found, ready to be edited. */
export function scaffoldConfig(options: ScaffoldOptions, found: Detection): string {
  const { project, module, baseRegistry, deploy, services } = options;
  const { suites, packages, tools = [] } = found;
  const base = baseOf(found);
  const content = {
    version: 1,
    name: project,
    ...(module === undefined ? {} : { module }),
    ...(suites.length === 0
      ? {}
      : { watch: { targets: Object.fromEntries(suites.map((suite) => [suite.name, targetOf(suite)])) } }),
    ...(base === undefined
      ? {}
      : {
          images: {
            base: {
              from: base.from,
              packages: [...new Set(["ca-certificates", ...packages])],
              ...(tools.length === 0 ? {} : { tools }),
              ...(baseRegistry === undefined ? {} : { registry: baseRegistry }),
            },
          },
        }),
    ...(suites.length === 0
      ? {}
      : {
          tests: {
            suites: Object.fromEntries(suites.map((suite) => [suite.name, suiteOf(suite, base?.has(suite) === true)])),
          },
        }),
    ...(services === undefined ? {} : { services: services.services }),
    ...(services === undefined || Object.keys(services.up).length === 0 ? {} : { up: services.up }),
    ...(deploy === undefined ? {} : { deploy }),
  };
  // Suites of a workspace share lists; each list is written out instead of becoming a YAML alias.
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, node, ancestors) => {
      const pair = ancestors.at(-1);
      const indentation = 2 * (ancestors.filter(isMap).length - 1);
      // Formats lists as common formatters do: on one line if they fit, else one item per line.
      node.flow =
        isPair(pair) && indentation + String(pair.key).length + 2 + node.items.map(String).join(", ").length + 2 <= 80;
    },
  });
  for (const { key } of (document.contents as YAMLMap<Scalar<string>>).items.slice(2)) {
    key.spaceBefore = true;
    key.commentBefore =
      key.value === "services" ? ` What \`fastloop up\` starts, from ${services?.from}.` : comments[key.value];
  }
  for (const suite of suites) {
    const preset = document.getIn(["tests", "suites", suite.name, "preset"], true) as { comment?: string } | undefined;
    if (preset !== undefined) preset.comment = ` found ${suite.because}`;
  }
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: false,
    ...(options.singleQuotes === true ? { singleQuote: true } : {}),
  });
}

const comments: Record<string, string | undefined> = {
  module: " fastloop's own module; `fastloop init --module` writes one of the project's own.",
  watch: " Kept true by `fastloop watch`: a call runs again when a file of its inputs changes.",
  up: " What an edit does to a running service, besides what its description says.",
  deploy:
    " `fastloop render`, `diff` and `deploy ENVIRONMENT`. An environment without a context is a cluster of this machine; elsewhere name it.",
  tests: " Each tier adds to the ones before it: `full` runs smoke, fast and full.",
};

function targetOf({
  name,
  tiers,
  inputs,
  needs,
  folder,
  root = folder,
  alone,
}: DetectedSuite): Record<string, unknown> {
  const tier = tiers.fast === undefined ? Object.keys(tiers)[0] : "fast";
  const concerned = inputs ?? (alone && root !== "" ? [`${root}/`] : undefined);
  return {
    call: `test --source . --suite ${name} --tier ${tier}`,
    ...(concerned === undefined
      ? {}
      : {
          inputs:
            concerned[0] === "**"
              ? concerned
              : ["fastloop.yaml", ...concerned.filter((entry) => entry !== "fastloop.yaml")],
        }),
    ...(needs.length === 0 ? {} : { needs }),
  };
}

/** Returns only the settings that differ from the preset. */
function suiteOf(suite: DetectedSuite, usesBase: boolean): Record<string, unknown> {
  const preset = suite.preset === undefined ? undefined : presets[suite.preset];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const kept = (key: string, value: unknown, usual: unknown): Record<string, unknown> =>
    value === undefined || same(value, usual) ? {} : { [key]: value };
  const tiers = Object.fromEntries(
    Object.entries(suite.tiers).map(([tier, commands]) => [
      tier,
      commands.length === 1 ? commands[0] : { run: commands },
    ]),
  );
  return {
    ...(suite.preset === undefined ? {} : { preset: suite.preset }),
    ...(usesBase ? { image: "base" } : kept("image", suite.image, preset?.image)),
    ...(suite.alone ? { root: suite.root ?? suite.folder } : {}),
    ...kept("manifests", suite.manifests, preset?.manifests),
    ...kept("install", suite.install, preset?.install),
    ...kept("installed", suite.installed, preset?.installed),
    ...(suite.caches === undefined ? {} : { caches: suite.caches }),
    ...(suite.env === undefined || Object.keys(suite.env).length === 0 ? {} : { env: suite.env }),
    ...(suite.runner === undefined ? {} : { runner: suite.runner }),
    tiers,
  };
}

/** Returns the base image and which suites start from it; undefined if none has to. */
function baseOf({ suites, packages }: Detection): { from: string; has(suite: DetectedSuite): boolean } | undefined {
  const slim = suites.filter(({ preset }) => isSlim(preset));
  const images = new Set(
    slim.map(({ image, preset }) => image ?? (preset === undefined ? plainImage : presets[preset].image)),
  );
  const [shared] = images;
  // Suites that start from different images cannot share a base.
  const isShared = images.size === 1 && packages.length > 0;
  const from = isShared ? shared : suites.some(({ inBase }) => inBase) ? plainImage : undefined;
  return from === undefined
    ? undefined
    : { from, has: ({ preset, inBase }) => inBase === true || (isShared && isSlim(preset)) };
}

/** Image of suites without a preset. */
const plainImage = "debian:bookworm-slim";

/** The images of go and cargo already include what a build needs. */
const isSlim = (preset: DetectedSuite["preset"]): boolean => preset !== "go" && preset !== "cargo";
