/** How a process of this machine reaches the services that it needs: variables, as a container has names. */
import type { ServiceStatus } from "../types.ts";

/** What speaks there, by the port that the container listens on. */
const schemes: Readonly<Record<number, string>> = {
  3306: "mysql",
  5432: "postgresql",
  5672: "amqp",
  6379: "redis",
  27017: "mongodb",
};

/** `API_HOST`, `API_PORT`, `API_URL` for a service `api`, by its first port. */
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
