/** `fastloop up`: runs services with their ports, health checks and logs until the user stops them. */
export type * from "./types.ts";
export { composeServices, type ComposeOptions, type ComposeServices } from "./compose/convert.ts";
export { downUp, followUp, notUp, openShell, restartUp, statusOfUp } from "./control/client.ts";
export { serveControl, type ControlledUp } from "./control/control.ts";
export { declaredServices, selectServices, withPortOffset } from "./sources/declared.ts";
export { decide, rulesOf } from "./live/rules.ts";
export { LogReader } from "./unit/log-file.ts";
export { LiveUpdates, type Rules } from "./live/updates.ts";
export { UpPlace } from "./control/place.ts";
export { portOffset } from "./ports/ports.ts";
export { excludedOf, ServiceSource, type RunningModule } from "./sources/source.ts";
export { Shells } from "./control/shells.ts";
export { Supervisor } from "./supervisor.ts";
