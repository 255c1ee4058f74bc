/**
 * Which cluster an environment is on is pinned at its first deploy, in `clusters` of `fastloop.lock`; the deployer compares it
 * before every write. A `cluster` in `fastloop.yaml` needs no pin.
 */
import { existsSync, lstatSync, rmSync } from "node:fs";
import path from "node:path";
import { readConfigFile } from "../../config/index.ts";
import { identityOf, type HostAccess } from "../../deploy/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import { writeFileAtomically } from "../../tree/index.ts";
import type { CliContext } from "../context.ts";
import type { DeployReport } from "./call-function.ts";
import { asUserError, type ChosenEnvironment } from "./environment.ts";

export interface Pin {
  /** What was written, for a reader; undefined where nothing had to be. */
  text: string | undefined;
  /** Takes it back, where nothing came of the deploy. */
  undo: () => void;
}

const none: Pin = { text: undefined, undo: () => {} };

/** Runs a change of the environment with its cluster pinned; one that is refused pins nothing. */
export async function withPin(
  context: CliContext,
  environment: ChosenEnvironment,
  access: HostAccess,
  run: () => Promise<DeployReport>,
): Promise<DeployReport> {
  const pin = await pinCluster(context, environment, access);
  try {
    const report = await run();
    return pin.text === undefined ? report : { ...report, pinned: pin.text, text: [...report.text, pin.text] };
  } catch (error) {
    if (error instanceof UserError && error.exitCode === ExitCode.usage) pin.undo();
    else if (pin.text !== undefined) context.notice(pin.text);
    throw error;
  }
}

/**
 * Pins the cluster where the environment has no pin yet. A checkout of CI is thrown away, so production is never pinned there:
 * each deploy would be the first.
 */
export async function pinCluster(
  context: CliContext,
  { name, settings, config }: ChosenEnvironment,
  { access }: HostAccess,
): Promise<Pin> {
  const file = path.join(config.root, "fastloop.lock");
  const isCi = (context.env["CI"] ?? "") !== "" && context.env["CI"] !== "false";
  const before = readLock(file);
  const lock = parseLock(before);
  if (settings.cluster !== undefined || Object.hasOwn(lock.clusters ?? {}, name)) return none;
  const identity = await identityOf(access).catch((error: unknown) => {
    throw asUserError(error);
  });
  const line = `"clusters": {"${name}": "${identity}"}`;
  if (settings.production === true && isCi)
    throw new UserError("usage", `${name} is production and pinned to no cluster`, {
      place: "fastloop.lock",
      hint: `if ${identity} is the right one, commit ${line} in fastloop.lock; a deploy from a terminal writes it`,
    });
  const text = `${name} is pinned to the cluster ${identity} from now on`;
  try {
    writeFileAtomically(
      file,
      `${JSON.stringify({ ...lock, clusters: { ...lock.clusters, [name]: identity } }, undefined, 2)}\n`,
    );
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return {
      ...none,
      text: `${name} is pinned to no cluster: fastloop.lock can't be written (${code}); commit ${line} in it`,
    };
  }
  return {
    text: `${text}: commit fastloop.lock${isCi ? `, with ${line}: until then each deploy of CI is the first` : ""}`,
    undo: () => (before === undefined ? rmSync(file, { force: true }) : writeFileAtomically(file, before)),
  };
}

/** The lock's text; undefined where there is none. One that is a link is refused: it is written to. */
function readLock(file: string): string | undefined {
  const place = "fastloop.lock";
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isLink) throw new UserError("config", "is a link, which is not followed", { place });
  return existsSync(file) ? readConfigFile(file, place) : undefined;
}

interface Lock {
  version: unknown;
  clusters?: Record<string, string>;
}

function parseLock(text: string | undefined): Lock {
  if (text === undefined) return { version: 1, images: {} } as Lock;
  try {
    const lock = JSON.parse(text) as Lock | null;
    if (typeof lock === "object" && lock?.version === 1) return lock;
  } catch {
    // Told below.
  }
  throw new UserError("config", "is no lock of version 1", {
    place: "fastloop.lock",
    hint: "`fastloop call lock-base export --path fastloop.lock` writes it anew",
  });
}
