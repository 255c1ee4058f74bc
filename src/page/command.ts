import { Refusal } from "../graphql/index.ts";
import type { PageCommand } from "./types.ts";

/** Parses a request's command. Throws a `Refusal` for anything else. */
export function commandOf(value: unknown): PageCommand {
  const {
    do: verb,
    which,
    node,
    nodes,
    on,
    to,
  } = (typeof value === "object" ? (value ?? {}) : {}) as Record<string, unknown>;
  if (verb === "run" && (which === "all" || which === "failed" || areNames(which))) return { do: verb, which };
  if (verb === "cancel" && typeof node === "string") return { do: verb, node };
  if (verb === "restart" && areNames(nodes)) return { do: verb, nodes };
  if (verb === "switch" && typeof node === "string" && (to === "local" || to === "container"))
    return { do: verb, node, to };
  if (verb === "manual" && typeof on === "boolean") return { do: verb, on };
  if (verb === "run-marked") return { do: verb };
  throw new Refusal(400, "that is no command");
}

const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");
