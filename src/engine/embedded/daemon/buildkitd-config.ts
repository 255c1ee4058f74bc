/** The generated buildkitd.toml; a pure function of what the daemon found. */

export interface BuildkitdConfig {
  rootDir: string;
  /** Path of the gRPC socket. */
  socket: string;
  otelSocket: string;
  /** Where a CNI configuration exists, containers get a network of their own; else the host's. */
  cniConfig?: string;
  /** `127.0.0.1:port` of the local registry that stands in for docker.io. */
  mirror?: string;
}

export function buildkitdToml(config: BuildkitdConfig): string {
  const lines = [
    "# Written by `fastloop engine`; changes are lost at its next start.",
    `root = ${quote(config.rootDir)}`,
    // For `insecureRootCapabilities`, which a module asks for explicitly; the socket is this user's alone.
    'insecure-entitlements = ["security.insecure", "network.host"]',
    "[grpc]",
    `  address = [${quote(`unix://${config.socket}`)}]`,
    "[otel]",
    `  socketPath = ${quote(config.otelSocket)}`,
    "[cdi]",
    "  disabled = true",
    "[history]",
    // Records of finished builds are for tools that list them; here each edit would add some.
    "  maxEntries = 0",
    "[worker.containerd]",
    "  enabled = false",
    "[worker.oci]",
    "  enabled = true",
    '  snapshotter = "auto"',
    config.cniConfig === undefined ? '  networkMode = "host"' : '  networkMode = "cni"',
    ...(config.cniConfig === undefined ? [] : [`  cniConfigPath = ${quote(config.cniConfig)}`]),
    "  gc = true",
    '  reservedSpace = "10GB"',
    '  maxUsedSpace = "50GB"',
    '  minFreeSpace = "10%"',
  ];
  if (config.mirror !== undefined) {
    lines.push(
      '[registry."docker.io"]',
      `  mirrors = [${quote(config.mirror)}]`,
      `[registry.${quote(config.mirror)}]`,
      "  http = true",
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A TOML basic string; JSON's escapes are a subset of TOML's. */
function quote(text: string): string {
  return JSON.stringify(text);
}
