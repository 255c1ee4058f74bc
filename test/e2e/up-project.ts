/** A small project with services, and `fastloop up` on it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fastloop, type CliResult } from "./cli-process.ts";
import { WatchProcess, type CommandEvents, type WatchEvent } from "./loop-project.ts";

/** A server of HTTP in perl: what a path answers is a file in /tmp, else its own text. */
export const server = (text: string, port = 8080): string[] => [
  "perl",
  "-MIO::Socket",
  "-e",
  `$|=1; $SIG{PIPE}='IGNORE'; print qq(${text} listens\\n);
$s=IO::Socket::INET->new(LocalPort=>${port},Listen=>5,ReuseAddr=>1) or die;
while($c=$s->accept){ $l=<$c>; next unless defined $l; while(($h=<$c>)=~/\\S/){} print qq(got $l);
  if($l=~m{/die}){ print STDERR qq(asked to die\\n); exit 7 }
  $sick=-e qq(/tmp/sick); $code=$sick?qq(503 No):qq(200 OK);
  print $c qq(HTTP/1.1 $code\\r\\nConnection: close\\r\\n\\r\\n${text}\\n); close $c }`,
];

/** Ports that nobody has at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const opened = net.createServer();
      await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
      return opened;
    }),
  );
  const ports = servers.map((opened) => (opened.address() as net.AddressInfo).port);
  for (const opened of servers) opened.close();
  return ports;
}

/** What a port of this machine answers; undefined where nobody does. */
export function get(port: number, url = "/"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path: url, agent: false, timeout: 5_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve(text));
      response.on("error", () => resolve(undefined));
    });
    request.on("error", () => resolve(undefined));
    request.on("timeout", () => request.destroy());
  });
}

/** Asks until the answer is what is wanted; what it never is, the test's own time limit tells. */
export async function until<T>(ask: () => T | Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class UpProject {
  readonly root = mkdtempSync(path.join(tmpdir(), "fastloop-up-"));
  private readonly started: CommandEvents[] = [];

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, content: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
  }

  configure(config: object): void {
    this.write("fastloop.yaml", JSON.stringify({ version: 1, name: "stack", module: "fastloop", ...config }));
  }

  run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.root });
  }

  up(...words: string[]): WatchProcess {
    return this.keep(new WatchProcess(this.root, words, "up"));
  }

  /** Ended, at the latest, with the project. */
  protected keep<T extends CommandEvents>(started: T): T {
    this.started.push(started);
    return started;
  }

  async remove(): Promise<void> {
    for (const started of this.started) await started.kill("SIGKILL");
    await this.run("down");
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Whether a process of this machine, containers included, has that text in its command line. */
export function isRunning(text: string): boolean {
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return words.startsWith("perl") && words.includes(text);
    } catch {
      return false;
    }
  });
}

export const image = "debian:bookworm-slim";
export const stateOf = (event: WatchEvent) => event["service"] as { name: string; phase: string; reason?: string };
export const isState =
  (name: string, phase: string) =>
  (event: WatchEvent): boolean =>
    event.event === "state" && stateOf(event).name === name && stateOf(event).phase === phase;

/** db, api that needs it, and other; each says its own name, which is in its command line, too. */
export async function stack(
  project: UpProject,
  more: Record<string, object> = {},
): Promise<{ db: number; api: number; other: number; tag: string }> {
  const [db = 0, api = 0, other = 0] = await freePorts(3);
  const tag = `tag${db}x${api}`;
  project.configure({
    services: {
      db: { image, command: server(`db ${tag}`), ports: `${db}:8080`, ...more["db"] },
      api: { image, command: server(`api ${tag}`), ports: `${api}:8080`, needs: ["db"], ...more["api"] },
      other: { image, command: server(`other ${tag}`), ports: `${other}:8080`, ...more["other"] },
    },
  });
  return { db, api, other, tag };
}
