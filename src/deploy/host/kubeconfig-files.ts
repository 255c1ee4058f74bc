import path from "node:path";
import { homeFolder, isPipe, readPipe, readRegular, UnfitFile } from "../../paths/index.ts";
import { printable } from "../../text/index.ts";
import { isLocalCluster, notNamed, parseKubeconfig } from "../cluster/kubeconfig.ts";
import type { Kubeconfig } from "../cluster/kubeconfig.ts";
import { refuse } from "../objects/problem.ts";
import type { HostAccessOptions } from "./access.ts";

type ClusterEntry = NonNullable<Kubeconfig["clusters"]>[number]["cluster"];
type ContextEntry = NonNullable<Kubeconfig["contexts"]>[number]["context"];
export type UserEntry = NonNullable<NonNullable<Kubeconfig["users"]>[number]["user"]>;

interface FileOf {
  /** Folder that relative names in the file are resolved in. */
  folder: string;
  config: Kubeconfig;
}

/** One context, its cluster with absolute paths, and its user as written. */
export interface ChosenContext {
  name: string;
  context: ContextEntry;
  cluster: ClusterEntry;
  user: UserEntry;
  /** Folder of the file that the user entry is in. */
  folder: string;
}

/**
 * Reads the files that kubectl would read, in its order; of entries with the same name, the first counts. Throws a
 * refusal when there is none.
 */
export async function readKubeconfigFiles({ env, cwd, file, signal }: HostAccessOptions): Promise<FileOf[]> {
  const listed = (env["KUBECONFIG"] ?? "").split(path.delimiter).filter((name) => name !== "");
  const isNamed = file !== undefined;
  const home = homeFolder(env);
  const names = isNamed ? [file] : listed.length > 0 ? listed : [path.join(home, ".kube", "config")];
  const files: FileOf[] = [];
  for (const name of names) {
    const full = path.resolve(cwd, name.replace(/^~(?=\/)/, home));
    const text = await readText(full, isNamed ? "--kubeconfig" : undefined, signal);
    if (text !== undefined) files.push({ folder: path.dirname(full), config: parseKubeconfig(text) });
  }
  if (files.length === 0)
    throw refuse(
      `there is no kubeconfig: ${names.map(printable).join(", ")} is not there; name one with --kubeconfig or KUBECONFIG`,
    );
  return files;
}

/** Returns the text of a file; undefined when it does not exist and was not named by a flag. */
async function readText(
  file: string,
  flag: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    // `--kubeconfig <(…)` of a shell passes a pipe.
    const content = flag !== undefined && isPipe(file) ? await readPipe(file, signal) : readRegular(file);
    return content.toString("utf8");
  } catch (error) {
    const { code = "?" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && flag === undefined) return undefined;
    const why = error instanceof UnfitFile ? error.message : code;
    throw refuse(`${flag === undefined ? "" : `${flag}: `}the kubeconfig ${printable(file)} can't be read (${why})`);
  }
}

/** Returns the named context, else the current one if it is a local cluster. Throws a refusal otherwise. */
export function chooseContext(files: readonly FileOf[], named: string | undefined): ChosenContext {
  const current = files.map(({ config }) => config["current-context"] ?? "").find((name) => name !== "");
  const all = files.flatMap(({ folder, config }) => (config.contexts ?? []).map((entry) => ({ folder, ...entry })));
  const known = [...new Set(all.map(({ name }) => name))].slice(0, 20).map(printable).join(", ") || "none";
  const name = named ?? current;
  if (name === undefined)
    throw refuse(`no context is named: add \`context\` to the environment in fastloop.yaml; there are: ${known}`);
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw refuse(`the kubeconfig has no context ${printable(name)}; it has: ${known}`);
  const { context } = found;
  const clusters = files.flatMap(({ folder, config }) =>
    (config.clusters ?? []).map((entry) => ({ folder, ...entry })),
  );
  const users = files.flatMap(({ folder, config }) => (config.users ?? []).map((entry) => ({ folder, ...entry })));
  const cluster = clusters.find((each) => each.name === context.cluster);
  if (cluster === undefined)
    throw refuse(`context ${printable(name)} names the cluster ${printable(context.cluster)}, which is not there`);
  const user = users.find((each) => each.name === context.user);
  if (user?.user == null)
    throw refuse(`context ${printable(name)} names the user ${printable(context.user ?? "")}, which is not there`);
  const server = URL.canParse(cluster.cluster.server) ? new URL(cluster.cluster.server) : undefined;
  if (named === undefined && (server === undefined || !isLocalCluster({ context: name, server }))) throw notNamed(name);
  const place = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : path.resolve(cluster.folder, file);
  return {
    name,
    context,
    cluster: { ...cluster.cluster, "certificate-authority": place(cluster.cluster["certificate-authority"]) },
    user: user.user,
    folder: user.folder,
  };
}
