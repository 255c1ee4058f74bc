/** Proxies that an environment names, read like Go's HTTP client and curl do. */

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that most programs read, which accept their names in lower case, too. */
export const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] as const;

/** The same in both spellings. */
export const proxyVariables: readonly string[] = proxyNames.flatMap((name) => [name.toLowerCase(), name]);

/** Returns the value of a proxy variable, named in upper case, in the spelling that is set; empty if neither is. */
export function proxySetting(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

/** Parses the value of a proxy variable; without a scheme it is `http`. Undefined when it is no address. */
export function proxyOf(text: string): URL | undefined {
  const url = text === "" ? null : URL.parse(text.includes("://") ? text : `http://${text}`);
  return url === null || url.hostname === "" ? undefined : url;
}

/** Returns the port that a proxy listens on. A `URL` drops the port that is its scheme's usual one. */
export function proxyPort({ protocol, port }: URL): number {
  if (port !== "") return Number(port);
  if (protocol.startsWith("socks")) return 1080;
  return protocol === "https:" ? 443 : 80;
}

/**
 * Chooses the proxy for a host like Go's HTTP client, which BuildKit uses; `plain` is for HTTP without TLS. Undefined
 * for a direct connection.
 */
export function proxyFor(hostname: string, plain: boolean, env: Environment): URL | undefined {
  const excepted = proxySetting(env, "NO_PROXY")
    .split(",")
    .map((entry) => entry.trim().replace(/^\*?\./, ""));
  if (
    excepted.some((entry) => entry === "*" || (entry !== "" && (hostname === entry || hostname.endsWith(`.${entry}`))))
  )
    return undefined;
  return proxyOf(proxySetting(env, plain ? "HTTP_PROXY" : "HTTPS_PROXY"));
}
