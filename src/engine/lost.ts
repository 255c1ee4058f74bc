/** Whether a failure is the engine's end, which says nothing of what was asked. */
import { UserError } from "../errors/index.ts";
import type { EngineSession } from "./types.ts";

/** An engine that is busy answers all the same; one that says nothing for this long is gone. */
const answerMs = 5000;

/** Why a session can be used no longer, as an error that says it; undefined for one that answers. */
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
