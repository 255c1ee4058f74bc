/** The host of a registry as images name it: Docker Hub has several. */
export function canonicalHost(text: string): string {
  const host = text.replace(/^https?:\/\//, "").split("/")[0]!;
  return ["index.docker.io", "registry-1.docker.io", "docker.io"].includes(host) ? "docker.io" : host;
}
