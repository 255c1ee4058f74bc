/**
 * Settings of a session that must not use the network. Its containers have no name server and no proxy, and common
 * package managers are told not to try, so that a missing package fails at once rather than after minutes of retries.
 * The settings reach execs through secret mounts, which are in no cache key: results made with the network are found
 * without it.
 */
import { trustMountPath } from "./compile-exec.ts";

/** An address that no name server has. Names of services are in `/etc/hosts`, and no other name resolves. */
export const offlineResolver = "nameserver 127.255.255.254\noptions timeout:1 attempts:1\n";

/** Variables from the tools' documentation. A variable that the container sets itself is kept. */
export const offlineVariables: Readonly<Record<string, string>> = {
  FASTLOOP_OFFLINE: "1",
  NPM_CONFIG_OFFLINE: "true",
  YARN_ENABLE_NETWORK: "0",
  PIP_RETRIES: "0",
  UV_OFFLINE: "1",
  GOPROXY: "off",
  CARGO_NET_OFFLINE: "true",
  APT_CONFIG: `${trustMountPath}/apt.conf`,
};

/**
 * Content of the file that `APT_CONFIG` names. apt has no variable for this, and spends eight seconds on a name that
 * does not resolve.
 */
export const offlineAptConf = 'Acquire::Retries "0";\n';

const outOfReach = new RegExp(
  [
    "EAI_AGAIN|ENOTFOUND|ENOTCACHED|ENETUNREACH|EHOSTUNREACH|only-if-cached",
    "temporary failure (?:in name )?resol",
    "could not resolve (?:host|proxy)",
    "name or service not known|name resolution|no such host|bad address|getaddrinfo",
    "network is unreachable|no route to host",
    "no matching distribution found|unable to locate package",
    "GOPROXY=off|--offline|network access (?:was )?disabled|network connectivity is disabled",
  ].join("|"),
  "i",
);

/**
 * Returns a note to append to a failed command's output, or undefined when the command does not seem to have needed the
 * network.
 */
export function offlineNote(output: { stdout: string; stderr: string }): string | undefined {
  if (!outOfReach.test(output.stderr) && !outOfReach.test(output.stdout)) return undefined;
  return "--offline: containers have no network, and what this command wants to fetch is not here (`fastloop offline prepare` fetches it)";
}
