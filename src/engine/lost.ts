/** Tells a lost engine from a failed request. */
import { UserError } from "../errors/index.ts";
import type { EngineSession } from "./types.ts";

/** A busy engine still answers a trivial query; one that is silent for this long is gone. */
const answerMs = 5000;

/** Returns an error that says why a session is unusable; undefined if it answers. */
export async function lostSession(
  session: EngineSession,
  { isPatient = false }: { isPatient?: boolean } = {},
): Promise<UserError | undefined> {
  try {
    await session.query("{ __typename }", undefined, { signal: AbortSignal.timeout(answerMs) });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    if (isPatient && (error as Error).name === "TimeoutError") return undefined;
    return new UserError("engine-unavailable", `the engine does not answer (${(error as Error).message})`, {
      hint: "`fastloop engine stop --force` ends the embedded engine",
      cause: error,
    });
  }
}
