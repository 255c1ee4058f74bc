// What set-up's programs see of the user's environment: what they need to run and to reach their registries, and no more.
import path from "node:path";
import process from "node:process";

const names = [
  // As the daemons have them (src/paths/environment.ts).
  ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CURL_CA_BUNDLE"],
  ["FASTLOOP_NETWORK", "FASTLOOP_CONFINE", "FASTLOOP_DIST"],
  // How they speak, and the time of what they make.
  ["TERM", "CI", "NO_COLOR", "FORCE_COLOR", "DEBIAN_FRONTEND", "SOURCE_DATE_EPOCH"],
].flat();
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY"];
const prefixes = ["XDG_", "LC_"];

/** Registries and their passwords, each for the program that asks there. */
const own = {
  go: [/^GO/],
  npm: [/^npm_config_/i, /^(?:NPM_TOKEN|NODE_AUTH_TOKEN)$/],
  pip: [/^PIP_/, /^REQUESTS_CA_BUNDLE$/],
  "apt-get": [/^APT_CONFIG$/],
  mmdebstrap: [/^APT_CONFIG$/],
};
own["npm.cmd"] = own.npm;
own.pip3 = own.pip;

/** The environment of a program that set-up starts. */
export function environmentFor(command, env = process.env) {
  const allowed = new Set([...names, ...proxies, ...proxies.map((name) => name.toLowerCase())]);
  const special = own[path.basename(command)] ?? [];
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        allowed.has(name) ||
        prefixes.some((prefix) => name.startsWith(prefix)) ||
        special.some((pattern) => pattern.test(name)),
    ),
  );
}
