/**
 * Reads what containers need to know about the host's network: extra CA certificates (TLS-inspecting proxies are
 * common) and proxy settings. Execs get them as a secret mount, so that they are in no image and in no cache key.
 */
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { proxyNames, proxySetting } from "../../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface HostTrust {
  /** The distribution's bundle and the extra certificates as PEM. Undefined when the host has no extra certificates. */
  caBundlePem?: string;
  /** HTTP_PROXY and related variables, with names in upper case. */
  environment: Record<string, string>;
}

const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
/** Folders for administrators' own certificates, which the distribution merges into its bundle. */
const localFolders = ["/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors"];

export function readHostTrust(env: Environment): HostTrust {
  const environment: Record<string, string> = {};
  for (const name of [...proxyNames, "FTP_PROXY"]) {
    const value = proxySetting(env, name);
    if (value !== "") environment[name] = value;
  }
  const caBundlePem = readCaBundle(env);
  return caBundlePem === undefined ? { environment } : { caBundlePem, environment };
}

/**
 * Last bundle with the state of its files. Every exec asks for it, and reading and comparing the files takes
 * milliseconds.
 */
let lastBundle: { key: string; pem: string | undefined } | undefined;

function readCaBundle(env: Environment): string | undefined {
  const system = systemBundles.find((file) => existsSync(file));
  const local = localFolders.flatMap((folder) => certificateFiles(folder));
  const named = [env["SSL_CERT_FILE"], env["NODE_EXTRA_CA_CERTS"]].filter(
    (file) => file !== undefined && file !== "" && existsSync(file),
  ) as string[];
  const key = [system ?? "", ...local, "", ...named].map(stateOf).join("\n");
  if (lastBundle?.key !== key) lastBundle = { key, pem: caBundle(system, local, named) };
  return lastBundle.pem;
}

function caBundle(system: string | undefined, local: readonly string[], named: readonly string[]): string | undefined {
  const inSystem = new Set(system === undefined ? [] : certificates(system));
  const extra = [
    ...local.flatMap(certificates),
    ...named.flatMap(certificates).filter((certificate) => !inSystem.has(certificate)),
  ];
  if (extra.length === 0) return undefined;
  return `${[...new Set([...inSystem, ...extra])].join("\n")}\n`;
}

/** Describes a file's state. It changes when the file is written or replaced. */
function stateOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${file} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    // A missing or unreadable file contains no certificate.
    return file;
  }
}

function certificateFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(crt|pem)$/.test(file))
      .sort()
      .map((file) => path.join(folder, file));
  } catch {
    return [];
  }
}

function certificates(file: string): string[] {
  try {
    const blocks = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    return (blocks ?? []).map((block) => block.replaceAll("\r", ""));
  } catch {
    return [];
  }
}
