/** Environment of the daemons, which outlive the command that starts them and serve every project. */
import { proxyVariables } from "./proxy.ts";
import { safePath } from "./safe-program.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are passed on unchanged; docs/security.md has the same list. */
const names = [
  // The user, their files and their language.
  ["HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE"],
  // Certificates that the host trusts, and package sources.
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CURL_CA_BUNDLE"],
  ["NPM_CONFIG_REGISTRY", "npm_config_registry"],
  // fastloop's own.
  ["FASTLOOP_NETWORK", "FASTLOOP_CONFINE", "FASTLOOP_DIST"],
].flat();
const prefixes = ["XDG_", "LC_"];
/** A proxy's address may contain its password, which fetching through it needs. */
const proxies = [...proxyVariables, "ftp_proxy", "FTP_PROXY"];

/**
 * Returns a daemon's environment: the listed variables, and the folders of PATH that only root and this user can write.
 */
export function daemonEnvironment(env: Environment = process.env): Record<string, string> {
  const allowed = new Set([...names, ...proxies]);
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (allowed.has(entry[0]) || prefixes.some((prefix) => entry[0].startsWith(prefix))),
  );
  return { ...Object.fromEntries(kept), PATH: safePath(env["PATH"] ?? "") };
}
