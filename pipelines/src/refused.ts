import { UserError } from "./user-error.ts";

/**
 * What a deploy does not do, before it changed anything: exit code 2, as the deployer's own refusals. A call takes its exit code
 * from errors of this shape.
 */
export class Refused extends UserError {
  readonly cmd = ["deploy"];
  readonly exitCode = 2;
  readonly stdout = "";
  readonly stderr = "";
}

/** Runs what looks and changes nothing; what the deploy room refuses, and a program that fails there, is a refusal. */
export async function refusing<T>(look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Error && error.name === "DeployError") throw new Refused(error.message, { cause: error });
    throw error;
  }
}
