/**
 * A session that must not use the network. Its containers have no name server and no proxy, and common package managers are
 * told not to try: what is not here fails at once, where else it would be tried again for minutes. All of it reaches an exec
 * by secret mounts, so that it is in no cache key: what was made with the network is found without.
 */
import { trustMountPath } from "./compile-exec.ts";

/** A name server that nobody is: names of services are in `/etc/hosts`, and no other name leads anywhere. */
export const offlineResolver = "nameserver 127.255.255.254\noptions timeout:1 attempts:1\n";

/** As the tools document them; a variable that the container sets itself stays as it is. */
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

/** The file that this variable names: apt has no variable for it, and tries a name that leads nowhere for eight seconds. */
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

/** What the output of a failed command is followed by where the command seems to have wanted the network. */
export function offlineNote(output: { stdout: string; stderr: string }): string | undefined {
  if (!outOfReach.test(output.stderr) && !outOfReach.test(output.stdout)) return undefined;
  return "--offline: containers have no network, and what this command wants to fetch is not here (`fastloop offline prepare` fetches it)";
}
