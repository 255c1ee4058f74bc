/** Makes the host names of services, as a container has them, available to a host process. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { shellWord } from "../../text/index.ts";
import { Front } from "../ports/front.ts";
import type { ServiceStatus } from "../types.ts";

type Needed = Pick<ServiceStatus, "name" | "ports">;

/** Number of addresses tried for one name, when other programs have the ports there. */
const tries = 50;
const trialMs = 5_000;

/**
 * Each name gets a loopback address of its own, where the service has the same ports as in its container. The names are
 * in an `/etc/hosts` that only the process sees, in its mount namespace.
 */
export class HostNames {
  /** Path of the process's `/etc/hosts`. */
  private readonly hosts: string;
  private readonly fronts: readonly Front[];

  private constructor(hosts: string, fronts: readonly Front[]) {
    this.hosts = hosts;
    this.fronts = fronts;
  }

  /**
   * Takes addresses and writes the hosts file. Returns undefined when there is nothing to name, or when the system does
   * not allow mount namespaces. `hosts` is the file to write, in a folder that only the user can access.
   */
  static async open(needed: readonly Needed[], root: string, hosts: string): Promise<HostNames | undefined> {
    const reached = needed.filter(({ ports }) => ports.length > 0);
    if (reached.length === 0 || process.platform !== "linux") return undefined;
    const fronts: Front[] = [];
    const names = new HostNames(hosts, fronts);
    const first = createHash("sha256").update(root).digest().readUInt16BE();
    let lines = "";
    let next = 0;
    for (const { name, ports } of reached) {
      for (const last = next + tries; next < last; next++) {
        const number = (first + next) % 65_000;
        const address = `127.77.${number >> 8}.${number & 255 || 1}`;
        const opened = await openAll(address, ports);
        if (opened === undefined) continue;
        fronts.push(...opened);
        lines += `${address} ${name}\n`;
        next++;
        break;
      }
    }
    writeFileSync(hosts, `${readFileSync("/etc/hosts", "utf8")}\n${lines}`, { mode: 0o644 });
    if (await names.works()) return names;
    names.close();
    return undefined;
  }

  /** Returns a shell command that runs another one with the names available. */
  within(command: string): string {
    const words = (list: readonly string[]): string => list.map(shellWord).join(" ");
    const bind = 'mount --bind "$1" /etc/hosts && exec';
    const mounts = ["unshare", "--mount", "--propagation", "private"];
    const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    if (uid === 0)
      return `exec ${words([...mounts, "/bin/sh", "-c", `${bind} /bin/sh -c "$2"`, "sh", this.hosts, command])}`;
    // Mounting needs root of a user namespace; the inner namespace maps back to the user, so that the command runs as
    // them.
    const back = `${bind} unshare --user --map-user="$3" --map-group="$4" /bin/sh -c "$2"`;
    const ids = [String(uid), String(gid)];
    const user = [...mounts, "--user", "--map-root-user"];
    return `exec ${words([...user, "/bin/sh", "-c", back, "sh", this.hosts, command, ...ids])}`;
  }

  close(): void {
    for (const front of this.fronts) front.close();
    rmSync(this.hosts, { force: true });
  }

  private works(): Promise<boolean> {
    return new Promise((resolve) => {
      const trial = spawn("/bin/sh", ["-c", this.within("true")], { stdio: "ignore", timeout: trialMs });
      trial.once("error", () => resolve(false));
      trial.once("exit", (code) => resolve(code === 0));
    });
  }
}

async function openAll(address: string, ports: Needed["ports"]): Promise<Front[] | undefined> {
  const opened: Front[] = [];
  try {
    for (const { host, container } of ports) {
      const front = await Front.open(container, [address]);
      front.leadTo(host);
      opened.push(front);
    }
    return opened;
  } catch {
    for (const front of opened) front.close();
    return undefined;
  }
}

/** Returns variables of a container with each `NAME:PORT` of a service replaced by its address on the host. */
export function withAddresses(
  env: Readonly<Record<string, string>>,
  needed: readonly Needed[],
): Record<string, string> {
  const places = new Map(
    needed.flatMap(({ name, ports }) =>
      ports.map(({ host, container }) => [`${name}:${container}`, `localhost:${host}`]),
    ),
  );
  const replaced = (value: string): string =>
    value.replaceAll(/(?<![\w.-])[\w.-]+:\d+(?!\d)/g, (place) => places.get(place) ?? place);
  return Object.fromEntries(Object.entries(env).map(([key, value]) => [key, replaced(value)]));
}
