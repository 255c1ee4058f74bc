/** Dispatches the engine's events to the services that they are about. */
import type { EngineEvent } from "../../engine/index.ts";
import type { UpListener } from "../types.ts";
import type { ServiceUnit } from "./service-unit.ts";

/** Matches the name of a step that is a service's process; see `startContainer` of the engine. */
const serviceStep = /^service ([^:\s]+): /;

/**
 * Returns a listener for the session's events: those of a service's process go to its unit, notices and other finished
 * steps to `emit`.
 */
export function eventsTo(units: () => readonly ServiceUnit[], emit: UpListener): (event: EngineEvent) => void {
  const steps = new Map<string, ServiceUnit>();
  return (event) => {
    if (event.kind === "notice") return emit(event);
    if (event.kind === "log") return steps.get(event.step)?.onOutput(event.stream, event.text);
    const { step, name } = event;
    const hostname = serviceStep.exec(name)?.[1];
    if (event.kind === "step-started") {
      const unit = hostname === undefined ? undefined : units().find((each) => each.isNamed(hostname));
      if (unit !== undefined) steps.set(step, unit);
      unit?.onStarted(step, hostname ?? "");
    } else if (hostname !== undefined) {
      steps.get(step)?.onEnded(step, event.error);
      steps.delete(step);
    } else if (!event.cached || event.error !== undefined) {
      const error = event.error === undefined ? {} : { error: event.error };
      emit({ kind: "step", name, step, durationMs: event.durationMs, ...error });
    }
  };
}
