import { needsFirst, unknown, type SemanticProblem } from "./references.ts";
import { servicesProblems } from "./services-semantics.ts";
import type { Config } from "./types.ts";

/** Returns references to unknown names, cycles, and suites that cannot run. */
export function semanticProblems(config: Config): SemanticProblem[] {
  return [
    ...watchProblems(config),
    ...testProblems(config),
    ...servicesProblems(config),
    ...imageProblems(config),
    ...deployProblems(config),
  ];
}

function watchProblems(config: Config): SemanticProblem[] {
  const targets = config.watch?.targets ?? {};
  const names = Object.keys(targets);
  const problems = names.flatMap((name) =>
    (targets[name]?.needs ?? []).flatMap((need, index) =>
      names.includes(need) ? [] : [unknown(["watch", "targets", name, "needs", index], "target", need, names)],
    ),
  );
  const { circle } = needsFirst(names, (name) => targets[name]?.needs ?? []);
  if (circle !== undefined) {
    const path = ["watch", "targets", circle[0] ?? "", "needs"];
    problems.push({ path, code: "circle", message: `targets need each other in a circle: ${circle.join(" -> ")}` });
  }
  return problems;
}

function testProblems(config: Config): SemanticProblem[] {
  const { suites = {}, services = {} } = config.tests ?? {};
  const serviceNames = Object.keys(services);
  const serviceProblems = Object.entries(services).flatMap(
    ([name, { image, port, preset, migrations }]): SemanticProblem[] => {
      const path = ["tests", "services", name];
      if (preset !== undefined) return [];
      if (image === undefined || port === undefined)
        return [
          {
            path,
            message: `service \`${name}\` has no ${image === undefined ? "image" : "port"}`,
            hint: "name an `image` and a `port`, or a `preset`",
          },
        ];
      if (migrations !== undefined && migrations.run === undefined)
        return [
          {
            path: [...path, "migrations"],
            message: "`run` is missing",
            hint: "only the preset postgres knows how to run a folder of migrations",
          },
        ];
      return [];
    },
  );
  const suiteProblems = Object.entries(suites).flatMap(([name, suite]) => {
    const path = ["tests", "suites", name];
    const problems: SemanticProblem[] = [];
    if (suite.image === undefined && suite.preset === undefined) {
      problems.push({ path, message: `suite \`${name}\` has no image`, hint: "name an `image` or a `preset`" });
    }
    if (suite.image === "base" && config.images?.base === undefined) {
      problems.push({ path: [...path, "image"], message: "there is no `images.base`" });
    }
    if (suite.image === "dev" && config.images?.dev === undefined) {
      problems.push({ path: [...path, "image"], message: "there is no `images.dev`" });
    }
    if (Object.keys(suite.tiers).length === 0)
      problems.push({ path: [...path, "tiers"], message: `suite \`${name}\` has no tier` });
    const used: [(string | number)[], readonly string[]][] = [[[...path, "services"], suite.services ?? []]];
    for (const [tier, command] of Object.entries(suite.tiers)) {
      if (typeof command === "object") used.push([[...path, "tiers", tier, "services"], command.services ?? []]);
    }
    for (const [place, list] of used) {
      list.forEach((service, index) => {
        if (!serviceNames.includes(service))
          problems.push(unknown([...place, index], "service", service, serviceNames));
      });
    }
    return problems;
  });
  return [...serviceProblems, ...suiteProblems];
}

function deployProblems({ deploy }: Config): SemanticProblem[] {
  const apps = Object.entries(deploy?.apps ?? {}).flatMap(
    ([name, { manifests, kustomize, helm, custom }]): SemanticProblem[] => {
      const ways = [manifests, kustomize, helm, custom].filter((way) => way !== undefined);
      if (ways.length === 1) return [];
      const message = `app \`${name}\` has ${ways.length === 0 ? "nothing to deploy" : "more than one way to be described"}`;
      return [
        { path: ["deploy", "apps", name], message, hint: "name one of `manifests`, `kustomize`, `helm`, `custom`" },
      ];
    },
  );
  const environments = Object.entries(deploy?.environments ?? {}).flatMap(([name, environment]): SemanticProblem[] =>
    environment.production === true && environment.context === undefined
      ? [
          {
            path: ["deploy", "environments", name],
            message: `\`${name}\` is production and names no context`,
            hint: "add the kubeconfig `context` of its cluster",
          },
        ]
      : [],
  );
  const watched = Object.entries(deploy?.environments ?? {}).flatMap(([name, environment]): SemanticProblem[] =>
    environment.production === true && environment.watch === true
      ? [
          {
            path: ["deploy", "environments", name, "watch"],
            message: `\`${name}\` is production, which does not allow deploying on each edit`,
            hint: "leave `watch` out",
          },
        ]
      : [],
  );
  return [...apps, ...environments, ...watched, ...forwardProblems(deploy)];
}

/** Reports apps that share a host port, as each port can be forwarded only once. */
function forwardProblems(deploy: Config["deploy"]): SemanticProblem[] {
  const taken = new Map<string, string>();
  return Object.entries(deploy?.apps ?? {}).flatMap(([app, { forward = [] }]) =>
    forward.flatMap((entry, index): SemanticProblem[] => {
      const path = ["deploy", "apps", app, "forward", index];
      const [local = "", port = ""] = [entry.split(":")[0], entry.split(":").at(-1)];
      if ([local, port].some((text) => Number(text) < 1 || Number(text) > 65535))
        return [{ path, message: `\`${entry}\` has a port that there is not`, hint: "ports are 1 to 65535" }];
      const other = taken.get(local);
      taken.set(local, app);
      if (other === undefined) return [];
      return [{ path, message: `the port ${local} is that of \`${other}\` already`, hint: "take another one" }];
    }),
  );
}

const tagVariables = ["version", "toolchain", "toolchainVersion", "YYYY.MM.DD", "YYYY-MM-DD", "key"];

function imageProblems(config: Config): SemanticProblem[] {
  const { base, dev } = config.images ?? {};
  const problems: SemanticProblem[] = (base?.tags ?? []).flatMap((tag, index) =>
    [...tag.matchAll(/\{([^{}]*)\}/g)].flatMap(([, variable = ""]) =>
      tagVariables.includes(variable)
        ? []
        : [unknown(["images", "base", "tags", index], "tag variable", variable, tagVariables)],
    ),
  );
  (base?.tags ?? []).forEach((tag, index) => {
    if (tag.includes("{version}") && base?.version === undefined) {
      problems.push({
        path: ["images", "base", "tags", index],
        message: "`{version}` is used, but `images.base.version` is missing",
      });
    }
  });
  if (
    (dev?.base === undefined || dev.base === "base") &&
    dev !== undefined &&
    base === undefined &&
    dev.preset === undefined
  ) {
    problems.push({
      path: ["images", "dev"],
      message: "`images.dev` starts from `images.base`, which is missing",
      hint: "name a `base` image or a `preset`",
    });
  }
  return problems;
}

/** Value of `module:` and `-m` for the module that fastloop brings; a folder of that name is written `./fastloop`. */
export const ownModule = "fastloop";
