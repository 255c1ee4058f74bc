import { randomBytes } from "node:crypto";
import { parsePlatform } from "../../llb/index.ts";
import type { Channel } from "../connection/channel.ts";
import { containers, type WireMount } from "./messages.ts";
import { startProcess } from "./process.ts";
import type { ContainerMount, ContainerRequest, GatewayContainer } from "../container-types.ts";
import { entitlementsOf } from "../gateway/entitlements.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { ResultOwner } from "../gateway/results.ts";
import type { StatusUpdate } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

const mountType = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const sharing = { shared: 0, private: 1, locked: 2 } as const;

/** Time limit for a release, which ends a service. If the daemon does not answer in time, the whole build is ended. */
const RELEASE_TIMEOUT_MS = 1_000;

/**
 * Solves the mounts and creates a container in a gateway build of its own. The build stays open as long as the
 * container. When this process dies, its connection closes, which ends the build and with it the container.
 */
export async function openContainer(
  channel: Channel,
  owner: ResultOwner,
  request: ContainerRequest,
  options: { signal?: AbortSignal | undefined; onStatus?: ((update: StatusUpdate) => void) | undefined } = {},
): Promise<GatewayContainer> {
  const { signal, onStatus = owner.onStatus } = options;
  signal?.throwIfAborted();
  const entitlements = new Set(
    entitlementsOf(request.mounts.flatMap((mount) => ("definition" in mount ? (mount.definition ?? []) : []))),
  );
  if (request.insecure === true) entitlements.add("security.insecure");
  const cacheImports = await owner.cacheImports?.();
  signal?.throwIfAborted();
  const gateway = new Gateway(channel, { ...owner.options, cacheImports, entitlements: [...entitlements] }, onStatus);
  const containerId = randomBytes(12).toString("hex");
  owner.running.add(gateway);
  const end = (): void => {
    owner.running.delete(gateway);
    void gateway.abort();
  };
  try {
    const solved = new Map<Definition, Promise<string>>();
    const solve = (definition: Definition): Promise<string> => {
      const known = solved.get(definition) ?? gateway.solve(definition, signal).then((result) => result?.id ?? "");
      solved.set(definition, known);
      return known;
    };
    const mounts = await Promise.all(request.mounts.map((mount) => wireMount(mount, solve)));
    const platform = request.platform === undefined ? {} : { platform: parsePlatform(request.platform) };
    const hostname = request.hostname === undefined ? {} : { hostname: request.hostname };
    await gateway.call(containers.create, { containerId, mounts, ...platform, ...hostname }, { signal });
  } catch (error) {
    end();
    throw error;
  }
  return {
    start: (process) => startProcess(gateway.duplex(containers.exec), containerId, process),
    release: async () => {
      await gateway
        .call(containers.release, { containerId }, { signal: AbortSignal.timeout(RELEASE_TIMEOUT_MS) })
        .catch(() => undefined);
      await gateway.finish({}, AbortSignal.timeout(RELEASE_TIMEOUT_MS)).catch(() => undefined);
      end();
    },
  };
}

async function wireMount(
  mount: ContainerMount,
  solve: (definition: Definition) => Promise<string>,
): Promise<WireMount> {
  const at = { dest: mount.destination, mountType: mountType[mount.kind] };
  switch (mount.kind) {
    case "bind":
      return {
        ...at,
        resultId: await solve(mount.definition),
        selector: mount.selector ?? "",
        readonly: mount.readonly ?? false,
      };
    case "cache":
      return {
        ...at,
        cache: { id: mount.id, sharing: sharing[mount.sharing ?? "shared"] },
        ...(mount.definition === undefined
          ? {}
          : { resultId: await solve(mount.definition), selector: mount.selector ?? "" }),
      };
    case "tmpfs":
      return { ...at, tmpfs: { size: mount.sizeBytes ?? 0 } };
    default: {
      const { id, uid = 0, gid = 0, mode = 0o600, optional = false } = mount;
      return { ...at, [mount.kind]: { id, uid, gid, mode, optional } };
    }
  }
}
