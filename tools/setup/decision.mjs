// Where base images come from: the image registry if it can be reached, else images bootstrapped here. Decided once and
// kept in decision.json of the images folder, with what has been bootstrapped so far; --refresh decides anew.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import process from "node:process";
import tls from "node:tls";

/** Enough for a registry that is there, short enough not to be felt where there is none. */
const probeTimeoutMs = 2000;
const registry = "https://registry-1.docker.io/v2/";
const manifest = "https://registry-1.docker.io/v2/library/debian/manifests/bookworm-slim";
const tokens = "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/debian:pull";

export function readDecision(folder) {
  try {
    return JSON.parse(readFileSync(path.join(folder, "decision.json"), "utf8"));
  } catch {
    return undefined;
  }
}

export function writeDecision(folder, { isNew: _isNew, ...decision }) {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "decision.json");
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(decision, undefined, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

/** Tries what a pull does: a token, then a manifest. A proxy that answers in the registry's place is told apart so. */
export async function reachesRegistry() {
  try {
    const challenge = await get(registry);
    if (challenge.status !== 401 && challenge.status !== 200) throw new Error(`docker.io answers ${challenge.status}`);
    const { token } = JSON.parse((await get(tokens)).body);
    const { status } = await get(manifest, {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json",
    });
    if (status !== 200) throw new Error(`docker.io answers ${status} for an image`);
    return { ok: true, why: "docker.io can be reached" };
  } catch (error) {
    return { ok: false, why: `docker.io can't be reached (${error.code ?? error.message})` };
  }
}

async function get(address, headers = {}) {
  const url = new URL(address);
  const proxy = proxyFor(url);
  const signal = AbortSignal.timeout(probeTimeoutMs);
  const agent = proxy === undefined ? undefined : await tunnel(proxy, url, signal);
  return new Promise((resolve, reject) => {
    const request = https.request(url, { headers, signal, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    request.on("error", (error) => reject(signal.aborted ? new Error(`no answer within ${probeTimeoutMs} ms`) : error));
    request.end();
  });
}

/** The proxy that the environment names for a host, with NO_PROXY's suffixes taken off. */
function proxyFor(url) {
  const variable = (name) => process.env[name] || process.env[name.toLowerCase()];
  const direct = (variable("NO_PROXY") ?? "")
    .split(",")
    .map((entry) => entry.trim().replace(/^\*?\.?/, ""))
    .filter(Boolean);
  if (direct.some((suffix) => url.hostname === suffix || url.hostname.endsWith(`.${suffix}`))) return undefined;
  const address = variable("HTTPS_PROXY") ?? variable("ALL_PROXY");
  return address === undefined ? undefined : new URL(address);
}

/** An agent whose connection goes through an HTTP proxy's CONNECT. */
function tunnel(proxy, url, signal) {
  return new Promise((resolve, reject) => {
    const { username, password } = proxy;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      "base64",
    );
    const request = http.request({
      host: proxy.hostname,
      port: proxy.port || 80,
      method: "CONNECT",
      path: `${url.hostname}:443`,
      headers: username === "" ? {} : { "proxy-authorization": `Basic ${credentials}` },
      signal,
    });
    request.on("error", reject);
    request.on("connect", (response, socket) => {
      if (response.statusCode !== 200) return reject(new Error(`the proxy answers ${response.statusCode}`));
      const agent = new https.Agent();
      agent.createConnection = () => tls.connect({ socket, servername: url.hostname });
      resolve(agent);
    });
    request.end();
  });
}
