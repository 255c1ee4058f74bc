import type { Config } from "../config/index.ts";
import type { Ask } from "./types.ts";

/** What the keys of `fastloop.yaml` ask for besides its calls. Suites, images and services live in containers. */
export function asksOfConfig({ engine, cache, deploy }: Config): Ask[] {
  return [
    ...(engine?.buildkit === undefined ? [] : [engineAsk(engine.buildkit)]),
    ...(cache?.from ?? []).map((what) => cacheAsk("from", what)),
    ...(cache?.to ?? []).map((what) => cacheAsk("to", what)),
    ...Object.entries(deploy?.environments ?? {}).map(([name, { context }]) =>
      clusterAsk(name, context, deploy?.image),
    ),
  ];
}

export function engineAsk(address: string): Ask {
  return { kind: "engine", what: address, by: "engine.buildkit" };
}

/** `location` as it is written. */
export function cacheAsk(way: "from" | "to", location: string): Ask {
  return { kind: "cache", what: location, by: `cache.${way}` };
}

/** `image`: what runs there with the user's credentials, where the repository names it. */
export function clusterAsk(environment: string, context: string | undefined, image: string | undefined): Ask {
  const what = `${context ?? "of this machine"}${image === undefined ? "" : ` in the image ${image}`}`;
  return { kind: "cluster", what, by: `deploy.environments.${environment}` };
}
