import { needsFirst, unknown, type SemanticProblem } from "./references.ts";
import { portMappings } from "./service-ports.ts";
import type { Config, UpServiceConfig } from "./types.ts";

/** Returns services that cannot be created, needs that lead nowhere, and ports that two services claim. */
export function servicesProblems(config: Config): SemanticProblem[] {
  const { services = {} } = config;
  const names = Object.keys(services);
  const needs = names.flatMap((name) =>
    (services[name]?.needs ?? []).flatMap((need, index) =>
      names.includes(need) ? [] : [unknown(["services", name, "needs", index], "service", need, names)],
    ),
  );
  const { circle } = needsFirst(names, (name) => (services[name]?.needs ?? []).filter((need) => names.includes(need)));
  const circles =
    circle === undefined
      ? []
      : [
          {
            path: ["services", circle[0] ?? "", "needs"],
            code: "circle" as const,
            message: `services need each other in a circle: ${circle.join(" -> ")}`,
          },
        ];
  const own = names.flatMap((name) => ownProblems(name, services[name]!, config));
  return [...own, ...needs, ...circles, ...portProblems(config), ...localProblems(config)];
}

/** Only cycles are checked here: needs may also name functions of the module, which are unknown at this point. */
function localProblems({ local = {}, services = {} }: Config): SemanticProblem[] {
  const names = Object.keys(local);
  const { circle } = needsFirst(names, (name) => (local[name]?.needs ?? []).filter((need) => names.includes(need)));
  return [
    ...names.flatMap((name) => [
      ...(services[name] === undefined
        ? []
        : [{ path: ["local", name], message: `there is a service \`${name}\` already`, hint: "rename one of them" }]),
      ...(local[name]?.run === undefined && local[name]?.serve === undefined
        ? [
            {
              path: ["local", name],
              message: `\`${name}\` has nothing to run`,
              hint: "name a `run`, a `serve` or both",
            },
          ]
        : []),
    ]),
    ...(circle === undefined
      ? []
      : [
          {
            path: ["local", circle[0] ?? "", "needs"],
            code: "circle" as const,
            message: `they need each other in a circle: ${circle.join(" -> ")}`,
          },
        ]),
  ];
}

const ways = ["image", "build", "function", "preset"] as const;

function ownProblems(name: string, service: UpServiceConfig, config: Config): SemanticProblem[] {
  const path = ["services", name];
  const given = ways.filter((way) => service[way] !== undefined);
  const [first, second] = given;
  if (first === undefined)
    return [
      {
        path,
        message: `service \`${name}\` has nothing to run`,
        hint: "name an `image`, a `build`, a `function` or a `preset`",
      },
    ];
  if (second !== undefined && !(first === "image" && second === "preset"))
    return [
      { path: [...path, second], message: `service \`${name}\` has \`${first}\` already`, hint: "keep one of them" },
    ];
  return [...imageProblem(path, service, config), ...functionProblems(path, service), ...dataProblems(path, service)];
}

function imageProblem(path: string[], { image }: UpServiceConfig, { images }: Config): SemanticProblem[] {
  if (image !== "base" && image !== "dev" && image !== "prod") return [];
  return images?.[image] === undefined
    ? [{ path: [...path, "image"], message: `there is no \`images.${image}\`` }]
    : [];
}

/**
 * Keys allowed beside `function`: the function defines the service, and the configuration only how it is seen from
 * outside.
 */
const besideFunction = new Set(["function", "ports", "health", "memory", "needs"]);

function functionProblems(path: string[], service: UpServiceConfig): SemanticProblem[] {
  if (service.function === undefined) return [];
  const checked = typeof service.health === "object" && service.health.command !== undefined;
  const others = Object.keys(service).filter((key) => !besideFunction.has(key));
  return [
    ...others.map((key) => ({
      path: [...path, key],
      message: `\`${key}\` does not go with \`function\``,
      hint: "the function's own code defines its container",
    })),
    ...(checked
      ? [
          {
            path: [...path, "health"],
            message: "`command` does not go with `function`",
            hint: "use withDockerHealthcheck in its code",
          },
        ]
      : []),
    ...(service.needs === undefined
      ? []
      : [
          {
            path: [...path, "needs"],
            message: "`needs` does not go with `function`",
            hint: "bind it with withServiceBinding in its code",
          },
        ]),
  ];
}

function dataProblems(path: string[], { preset, migrations }: UpServiceConfig): SemanticProblem[] {
  if (migrations === undefined || migrations.run !== undefined || preset === "postgres") return [];
  return [
    {
      path: [...path, "migrations"],
      message: "`run` is missing",
      hint: "only the preset postgres knows how to run a folder of migrations",
    },
  ];
}

/** Reports host ports that two services claim. */
function portProblems({ services = {}, up = {} }: Config): SemanticProblem[] {
  const taken = new Map<number, string>();
  return Object.entries(services).flatMap(([name, service]) => {
    const place = up[name]?.ports === undefined ? "services" : "up";
    return portMappings(up[name]?.ports ?? service.ports).flatMap(({ host }) => {
      const by = taken.get(host);
      taken.set(host, by ?? name);
      if (by === undefined) return [];
      const message = by === name ? `port ${host} is given twice` : `port ${host} is that of \`${by}\` already`;
      return [{ path: [place, name, "ports"], message, hint: "map it: `ports: HOST:CONTAINER`" }];
    });
  });
}
