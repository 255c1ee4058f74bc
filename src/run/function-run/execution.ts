import { CallMask, CallWorkspace, requirePath, runCall, type HostInput } from "../../call/index.ts";
import type { EngineEvent } from "../../engine/types.ts";
import { UserError } from "../../errors/index.ts";
import type { ArgumentInfo, RuntimeLog, ReturnedValue } from "../../module/index.ts";
import { concernOf } from "../../plan/index.ts";
import type { WarmEngine } from "../../session/index.ts";
import type { FunctionRun } from "./function-run.ts";

/** Limit of the wait for cancelled steps to end: another run may share a step and keep it going. */
const cancelledStepsMs = 10_000;

export interface Execution {
  value: ReturnedValue;
  /**
   * Absolute paths of inputs that changed between being hashed and being sent; the result is then not that of the
   * digest.
   */
  moved: string[];
}

/** Makes a run's call on exactly the trees that were hashed for it. Throws what the body or the engine throws. */
export async function execute(
  run: FunctionRun,
  { session, runtime, module, trees, onLog }: WarmEngine,
): Promise<Execution> {
  const { item } = run.plan;
  const { environment, secretKey, notice } = run.place;
  const query = { callId: run.id, signal: run.signal };
  const mask = new CallMask();
  const moved: string[] = [];
  run.log.open();
  const output = ({ stream, text }: Pick<RuntimeLog, "stream" | "text">): void => run.onOutput(stream, text);
  const told = (event: EngineEvent): void => {
    if (event.kind === "log") output(event);
    else if (event.kind !== "notice") run.onStep(event);
  };
  const stopEvents = session.onEvent((event) => {
    if ("callId" in event && event.callId === run.id) mask.event(event, told);
  });
  const stopLogs = onLog((entry) => {
    if (entry.callId === run.id) mask.log(entry, output);
  });
  const workspace = new CallWorkspace(run.project.reads.place, {
    trees,
    query,
    // Declared inputs replace what was read of the workspace, and only they count.
    ...(item.target.inputs === undefined ? { leaveOut: "personal" as const } : {}),
    listed(read) {
      const input = item.sent.find((candidate) => JSON.stringify(candidate.read) === JSON.stringify(read));
      const listing = input === undefined ? undefined : run.snapshot.listing(input);
      if (input === undefined || listing === undefined) return undefined;
      return { filter: input.filter, listing, concerns: concernOf(item, input) };
    },
    onMoved: (paths) => moved.push(...paths),
  });
  run.workspace = workspace;
  try {
    const hostInput = async ({ kind, path }: HostInput, argument: ArgumentInfo): Promise<string> => {
      requirePath(path, kind, argument);
      if (kind === "file") return (await trees.file(path, query)).id;
      const input = item.sent.find((candidate) => candidate.of === argument && candidate.path === path);
      if (input === undefined) throw new Error(`${path} is not an input of ${run.name}`);
      const listing = run.snapshot.listing(input);
      const synced = await trees.directory(path, input.filter, { ...query, listing, concerns: concernOf(item, input) });
      moved.push(...synced.moved.map((file) => `${synced.listing.root}/${file}`));
      return synced.id;
    };
    const value = await runCall(item.call, {
      ...query,
      module,
      session,
      runtime,
      env: environment,
      cwd: run.project.root,
      isOfRepository: true,
      secretKey,
      hostInput,
      workspace,
      onSecret: (plaintext, name) => mask.add(plaintext, name, session, notice),
    });
    if (item.target.isGenerator === true && value === false)
      throw new UserError("function-failed", `the generator ${run.name} changes files`, {
        place: item.target.place,
        hint: `\`fastloop generate ${run.name}\` shows which, and applies it`,
      });
    // Masked, because a function that returns a secret would put it into the record of its run.
    return { value: mask.value(value), moved };
  } catch (thrown) {
    const error = mask.error(thrown);
    mask.end();
    run.log.writeError(error instanceof UserError ? error.format() : String(error));
    // The call is given up at once, but its containers take a moment to end, so they are waited for.
    if (run.signal.aborted) await run.steps.untilNone(cancelledStepsMs);
    throw error;
  } finally {
    mask.end();
    stopEvents();
    stopLogs();
  }
}
