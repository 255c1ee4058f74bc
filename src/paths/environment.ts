/** What the daemons' environment may hold: they live longer than the command that starts them, and serve every project. */
import { safePath } from "./safe-program.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Passed on as they are; docs/security.md has the same list. */
const names = [
  // Whose programs and files, and how they speak.
  ["HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE"],
  // Whom the machine trusts and where it gets things.
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CURL_CA_BUNDLE"],
  ["NPM_CONFIG_REGISTRY", "npm_config_registry"],
  // Ours.
  ["FASTLOOP_NETWORK", "FASTLOOP_CONFINE", "FASTLOOP_DIST"],
].flat();
const prefixes = ["XDG_", "LC_"];
/** A proxy's address may hold its password: what is fetched through it needs that. */
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY"];

/** The environment of a daemon: of this one what is on the list, and the folders of PATH that only root and this user may write. */
export function daemonEnvironment(env: Environment = process.env): Record<string, string> {
  const allowed = new Set([...names, ...proxies, ...proxies.map((name) => name.toLowerCase())]);
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (allowed.has(entry[0]) || prefixes.some((prefix) => entry[0].startsWith(prefix))),
  );
  return { ...Object.fromEntries(kept), PATH: safePath(env["PATH"] ?? "") };
}
