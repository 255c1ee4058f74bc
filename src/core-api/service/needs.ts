import { newCall } from "../request/call.ts";
import type { Session } from "../session.ts";
import { ApiError } from "../values/errors.ts";
import type { Service, ServiceBinding } from "../values/values.ts";
import { hostnameOf } from "./names.ts";

/** Evaluates the trees of a service's container. */
export async function evaluateParts(session: Session, service: Service, signal: AbortSignal): Promise<void> {
  if (service.kind !== "container") return;
  const { rootfs, mounts } = service.container;
  const call = newCall(session, { signal, isBody: false });
  const trees = [rootfs, ...mounts.flatMap(({ source }) => ("tree" in source ? [source.tree] : []))];
  await Promise.all(trees.map((tree) => session.evaluate(call, tree, () => Promise.resolve())));
}

/** Returns the error for a process that ends because a service that it is bound to exited. */
export function boundExit({ alias, service }: ServiceBinding, failure: ApiError | undefined): ApiError {
  const why = failure === undefined ? "" : `: ${failure.message}`;
  return new ApiError(`bound service ${hostnameOf(service)} (aliased as ${alias}) exited${why}`, {}, failure);
}

/** Formats the contents of `/etc/hosts`. */
export function hostsText(hosts: readonly { address: string; names: readonly string[] }[]): string {
  const lines = hosts.map(({ address, names }) => `${address}\t${names.join(" ")}\n`);
  return `127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n${lines.join("")}`;
}

/** Returns the services that a service needs itself. */
export function needsOf(service: Service): readonly ServiceBinding[] {
  if (service.kind === "container") return service.container.services;
  return service.kind === "tunnel" ? [{ alias: "upstream", service: service.upstream }] : [];
}
