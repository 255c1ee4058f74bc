/** A host port and the container port that it leads to. */
export interface PortMapping {
  host: number;
  container: number;
}

/** Parses `8080`, `"3000:80"`, or a list of them, as in `ports`. */
export function portMappings(ports: number | string | readonly (number | string)[] | undefined): PortMapping[] {
  const list =
    ports === undefined ? [] : Array.isArray(ports) ? (ports as (number | string)[]) : [ports as number | string];
  return list.map((entry) => {
    const [host, container] = `${entry}`.split(":").map(Number) as [number, number?];
    return { host, container: container ?? host };
  });
}
