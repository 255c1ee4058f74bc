/** Variables that tell a host process how to reach the services that it needs; a container has host names for that. */
import type { ServiceStatus } from "../types.ts";

/** URL scheme by port in the container. */
const schemes: Readonly<Record<number, string>> = {
  3306: "mysql",
  5432: "postgresql",
  5672: "amqp",
  6379: "redis",
  27017: "mongodb",
};

/** Returns `API_HOST`, `API_PORT` and `API_URL` for a service `api`, by its first port. */
export function reachOf(needed: readonly Pick<ServiceStatus, "name" | "ports">[]): Record<string, string> {
  const variables = needed.flatMap(({ name, ports }): [string, string][] => {
    const [first] = ports;
    if (first === undefined) return [];
    const prefix = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    return [
      [`${prefix}_HOST`, "localhost"],
      [`${prefix}_PORT`, String(first.host)],
      [`${prefix}_URL`, `${schemes[first.container] ?? "http"}://localhost:${first.host}`],
    ];
  });
  return Object.fromEntries(variables);
}
