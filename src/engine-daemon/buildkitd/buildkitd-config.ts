/** Generates buildkitd.toml, as a pure function of what the daemon found. */

export interface BuildkitdConfig {
  rootDir: string;
  /** Path of the gRPC socket. */
  socket: string;
  otelSocket: string;
  /** With a CNI configuration, containers get a network of their own. Without it, they share the host's. */
  cni?: { configFile: string; pluginDir?: string; preparedNamespaces: number };
  /** `127.0.0.1:port` of the local registry that serves as the mirror of docker.io. */
  mirror?: string;
  /** Parent cgroup of the containers. */
  cgroupParent?: string;
}

export function buildkitdToml(config: BuildkitdConfig): string {
  const lines = [
    "# Written by `fastloop engine`; changes are lost at its next start.",
    `root = ${quote(config.rootDir)}`,
    // For `insecureRootCapabilities`, which a module requests explicitly. Only this user can use the socket.
    'insecure-entitlements = ["security.insecure", "network.host"]',
    "[grpc]",
    `  address = [${quote(`unix://${config.socket}`)}]`,
    "[otel]",
    `  socketPath = ${quote(config.otelSocket)}`,
    "[cdi]",
    "  disabled = true",
    "[history]",
    // Records of finished builds are for tools that list builds. Here each edit would add some.
    "  maxEntries = 0",
    "[worker.containerd]",
    "  enabled = false",
    "[worker.oci]",
    "  enabled = true",
    '  snapshotter = "auto"',
    ...(config.cgroupParent === undefined ? [] : [`  defaultCgroupParent = ${quote(config.cgroupParent)}`]),
    ...networkLines(config.cni),
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

function networkLines(cni: BuildkitdConfig["cni"]): string[] {
  if (cni === undefined) return ['  networkMode = "host"'];
  return [
    '  networkMode = "cni"',
    `  cniConfigPath = ${quote(cni.configFile)}`,
    ...(cni.pluginDir === undefined ? [] : [`  cniBinaryPath = ${quote(cni.pluginDir)}`]),
    `  cniPoolSize = ${cni.preparedNamespaces}`,
  ];
}

/** Quotes a TOML basic string. JSON's escapes are a subset of TOML's. */
function quote(text: string): string {
  return JSON.stringify(text);
}
