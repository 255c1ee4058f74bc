/**
 * Pins an environment to the cluster of its first deploy, in `clusters` of `fastloop.lock`; the deployer checks it
 * before every write. An environment with `cluster` in `fastloop.yaml` needs no pin.
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
  /** Notice about what was written; undefined when nothing had to be. */
  text: string | undefined;
  /** Restores the lock file, for a deploy that was refused. */
  undo: () => void;
}

const none: Pin = { text: undefined, undo: () => {} };

/** Runs a change of the environment with its cluster pinned. A change that is refused removes its pin again. */
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
 * Pins the cluster if the environment has no pin yet. Throws in CI for production: a checkout of CI is thrown away, so
 * there each deploy would be the first.
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

/**
 * Returns the text of the lock; undefined when there is none. Throws for a symbolic link, because the file is written
 * to.
 */
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
    // Reported below.
  }
  throw new UserError("config", "is no lock of version 1", {
    place: "fastloop.lock",
    hint: "`fastloop call lock-base export --path fastloop.lock` writes a new one",
  });
}
