import type { Unit } from "./unit.ts";

/** What the supervisor needs of a service, whatever it runs in. */
export type ServiceUnit = Pick<Unit, keyof Unit>;
