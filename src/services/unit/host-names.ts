/** The names of services, as a container has them, for a process of this machine. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { shellWord } from "../../text/index.ts";
import { Front } from "../ports/front.ts";
import type { ServiceStatus } from "../types.ts";

type Needed = Pick<ServiceStatus, "name" | "ports">;

/** So many addresses are tried where others have their ports. */
const tries = 50;
const trialMs = 5_000;

/**
 * Each name is an address of loopback of its own, where the service has the ports that it has in its container; an
 * `/etc/hosts` that only the process sees, in a mount namespace, has them.
 */
export class HostNames {
  /** The process's `/etc/hosts`. */
  private readonly hosts: string;
  private readonly fronts: readonly Front[];

  private constructor(hosts: string, fronts: readonly Front[]) {
    this.hosts = hosts;
    this.fronts = fronts;
  }

  /** Undefined where there is nothing to name, or the system does not allow it. `hosts` is the file to write, in a folder of the user's alone. */
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

  /** A shell command that runs another one where the names are known. */
  within(command: string): string {
    const words = (list: readonly string[]): string => list.map(shellWord).join(" ");
    const bind = 'mount --bind "$1" /etc/hosts && exec';
    const mounts = ["unshare", "--mount", "--propagation", "private"];
    const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    if (uid === 0)
      return `exec ${words([...mounts, "/bin/sh", "-c", `${bind} /bin/sh -c "$2"`, "sh", this.hosts, command])}`;
    // Who may mount is root of a namespace; the command is to be who its user is.
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

/** Variables of a container with the names in them replaced by how this machine reaches what they name. */
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
