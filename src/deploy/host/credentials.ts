import { execFile } from "node:child_process";
import path from "node:path";
import process from "node:process";
import * as z from "zod";
import { findSafeExecutable, readRegular, UnfitFile } from "../../paths/index.ts";
import { outputText, printable } from "../../text/index.ts";
import { DeployError, refuse } from "../objects/problem.ts";
import type { HostAccessOptions } from "./access.ts";
import type { ChosenContext, UserEntry } from "./kubeconfig-files.ts";

const pluginTimeoutMs = 120_000;
const largestAnswer = 1024 * 1024;

/** Answer of a credential plugin (client.authentication.k8s.io, ExecCredential). */
const answerSchema = z.looseObject({
  kind: z.literal("ExecCredential"),
  status: z.looseObject({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
  }),
});

/** Returns the user's credentials as data. Also reads the certificate authority into `chosen.cluster`. */
export async function credentialsOf(chosen: ChosenContext, options: HostAccessOptions): Promise<UserEntry> {
  const { cluster, user, folder } = chosen;
  const here = `context ${printable(chosen.name)}`;
  const data = async (file: string | undefined, known: string | undefined): Promise<string | undefined> =>
    file === undefined || known !== undefined ? known : readBytes(here, path.resolve(folder, file)).toString("base64");
  cluster["certificate-authority-data"] = await data(
    cluster["certificate-authority"],
    cluster["certificate-authority-data"],
  );
  delete cluster["certificate-authority"];
  const { "client-certificate": certificate, "client-key": key, tokenFile, exec, ...rest } = user;
  const flat: UserEntry = {
    ...rest,
    "client-certificate-data": await data(certificate, user["client-certificate-data"]),
    "client-key-data": await data(key, user["client-key-data"]),
  };
  if (tokenFile !== undefined && flat.token === undefined)
    flat.token = readBytes(here, path.resolve(folder, tokenFile)).toString("utf8").trim();
  // Credentials in the file take precedence over a plugin, as in kubectl.
  if (exec === undefined || flat.token !== undefined || flat["client-certificate-data"] !== undefined) return flat;
  return { ...flat, ...(await askPlugin(here, exec, chosen, options)) };
}

function readBytes(here: string, file: string): Buffer {
  try {
    return readRegular(file);
  } catch (error) {
    const why = error instanceof UnfitFile ? error.message : (error as NodeJS.ErrnoException).code;
    throw refuse(`${here} names the file ${printable(file)}, which can't be read (${why})`);
  }
}

/**
 * Runs a plugin as kubectl does: with its own arguments, its answer on stdout, and its messages on the terminal. Throws
 * a refusal when it gives no credentials.
 */
async function askPlugin(
  here: string,
  exec: NonNullable<UserEntry["exec"]>,
  { cluster, folder }: ChosenContext,
  { env, signal }: HostAccessOptions,
): Promise<UserEntry> {
  const program = pluginProgram(here, exec, folder, env);
  const isInteractive = exec.interactiveMode !== "Never" && isTerminal(process.stdin) && isTerminal(process.stderr);
  if (exec.interactiveMode === "Always" && !isInteractive)
    throw refuse(
      `${here} gets its credentials from ${printable(exec.command)}, which wants to ask somebody at a terminal`,
    );
  const info = {
    apiVersion: exec.apiVersion ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: isInteractive,
      ...(exec.provideClusterInfo === true ? { cluster: clusterInfo(cluster) } : {}),
    },
  };
  const given = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const answer = await run(here, program, exec, {
    env: { ...env, ...given, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    signal,
    isInteractive,
  });
  const found = parseAnswer(answer);
  const { token, clientCertificateData, clientKeyData } = found?.status ?? {};
  if (token === undefined && (clientCertificateData === undefined || clientKeyData === undefined))
    throw refuse(`${here}: ${printable(exec.command)} answered with no credentials`);
  const base64 = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text).toString("base64");
  return { token, "client-certificate-data": base64(clientCertificateData), "client-key-data": base64(clientKeyData) };
}

/** `isTTY` is undefined, not false, for anything but a terminal, and a plugin expects a boolean. */
const isTerminal = ({ isTTY }: { isTTY?: boolean }): boolean => isTTY === true;

/**
 * Finds the plugin. A name is searched on the PATH, skipping folders where others can put programs; a path is relative
 * to the kubeconfig.
 */
function pluginProgram(
  here: string,
  { command, installHint }: NonNullable<UserEntry["exec"]>,
  folder: string,
  env: NodeJS.ProcessEnv,
): string {
  if (command.includes("/")) return path.resolve(folder, command);
  const { file, passedOver } = findSafeExecutable(command, env);
  if (file !== undefined) return file;
  const why = passedOver.length > 0 ? `: ${passedOver.join("; ")}` : "; it is not on the PATH";
  const hint = installHint === undefined ? "" : `\n${outputText(installHint.trim())}`;
  throw refuse(
    `${here} gets its credentials from the program ${printable(command)}, which can't be run here${why}${hint}`,
  );
}

function run(
  here: string,
  program: string,
  exec: NonNullable<UserEntry["exec"]>,
  { env, signal, isInteractive }: { env: NodeJS.ProcessEnv; signal?: AbortSignal; isInteractive: boolean },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      exec.args ?? [],
      { env, signal, timeout: pluginTimeoutMs, maxBuffer: largestAnswer, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const last = outputText(stderr.trim()).split("\n").slice(-5).join("\n");
        const why = error.killed === true ? `did not answer in ${pluginTimeoutMs / 1000} s` : "failed";
        const text = `${here}: ${printable(exec.command)} gives no credentials: it ${why}${last === "" ? "" : `\n${last}`}`;
        reject(new DeployError("refused", text));
      },
    );
    // Device codes and links are for the user at the terminal.
    child.stderr?.on("data", (text: string) => void (isInteractive && process.stderr.write(outputText(text))));
    if (isInteractive && child.stdin !== null) process.stdin.pipe(child.stdin);
    child.once("close", () => isInteractive && process.stdin.unpipe().pause());
  });
}

function parseAnswer(text: string): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const clusterInfo = (cluster: ChosenContext["cluster"]): Record<string, unknown> => ({
  server: cluster.server,
  "tls-server-name": cluster["tls-server-name"],
  "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
  "certificate-authority-data": cluster["certificate-authority-data"],
});
