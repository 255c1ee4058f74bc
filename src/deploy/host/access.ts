import { readKubeconfig } from "../cluster/kubeconfig.ts";
import type { Access } from "../cluster/kubeconfig.ts";
import { credentialsOf } from "./credentials.ts";
import { chooseContext, readKubeconfigFiles } from "./kubeconfig-files.ts";

export interface HostAccessOptions {
  env: NodeJS.ProcessEnv;
  /** Folder that a relative `--kubeconfig` is resolved in. */
  cwd: string;
  /** Value of `--kubeconfig`; undefined: `KUBECONFIG`, then `~/.kube/config`. */
  file?: string;
  /** Context by name; without it only a local cluster is accepted. */
  context?: string;
  signal?: AbortSignal;
}

/** One context as data: nothing has to be read from files or programs any more. */
export interface HostAccess {
  /** Kubeconfig of that one context. It is a secret. */
  text: string;
  access: Access;
}

/**
 * Resolves one context on the user's machine: reads the files that it names and runs its credential plugin, as kubectl
 * and `kubectl config view --raw --minify --flatten` do. Runs nothing for a context that is not accepted.
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
