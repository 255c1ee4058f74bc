import { readKubeconfig } from "../cluster/kubeconfig.ts";
import type { Access } from "../cluster/kubeconfig.ts";
import { credentialsOf } from "./credentials.ts";
import { chooseContext, readKubeconfigFiles } from "./kubeconfig-files.ts";

export interface HostAccessOptions {
  env: NodeJS.ProcessEnv;
  /** Folder that a relative `--kubeconfig` starts in. */
  cwd: string;
  /** `--kubeconfig`; else `KUBECONFIG`, else `~/.kube/config`. */
  file?: string;
  /** The context that is named; without one only a cluster of this machine is taken. */
  context?: string;
  signal?: AbortSignal;
}

/** One context, with all that a connection takes in it: nothing is read from a file or a program any more. */
export interface HostAccess {
  /** A kubeconfig of that one context. A secret. */
  text: string;
  access: Access;
}

/**
 * Resolves one context on the user's machine: files are read into it, and a credential plugin is run for its token, as
 * `kubectl config view --raw --minify --flatten` and kubectl itself would. Nothing is run for a context that is not taken.
 */
export async function readHostAccess(options: HostAccessOptions): Promise<HostAccess> {
  const files = await readKubeconfigFiles(options);
  const chosen = chooseContext(files, options.context);
  const user = await credentialsOf(chosen, options);
  const text = JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": chosen.name,
    clusters: [{ name: "cluster", cluster: chosen.cluster }],
    users: [{ name: "user", user }],
    contexts: [{ name: chosen.name, context: { ...chosen.context, cluster: "cluster", user: "user" } }],
  });
  return { text, access: readKubeconfig(text, options.context) };
}
