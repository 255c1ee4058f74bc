import { UserError } from "./user-error.ts";

/**
 * A refusal before anything was changed, with exit code 2, like those of the deployer. It has the fields of the SDK's
 * `ExecError`, from which a call takes its exit code.
 */
export class Refused extends UserError {
  readonly cmd = ["deploy"];
  readonly exitCode = 2;
  readonly stdout = "";
  readonly stderr = "";
}

/** Calls `look`, which must not change anything, and rethrows a `DeployError` of it as `Refused`. */
export async function refusing<T>(look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Error && error.name === "DeployError") throw new Refused(error.message, { cause: error });
    throw error;
  }
}
