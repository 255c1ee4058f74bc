import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { afterEach, describe, expect, it } from "vitest";
import { freePorts, get, image, isState, server, stateOf, until } from "../../e2e/up-project.ts";
import type { WatchEvent } from "../../e2e/loop-project.ts";
import { canRunEngine } from "../own-engine.ts";
import { ask } from "../page/ask.ts";
import { beforeEachProject, type OwnUpProject } from "./own-up-project.ts";

let project: OwnUpProject;
beforeEachProject((made) => {
  project = made;
});
const servers: net.Server[] = [];
afterEach(() => {
  for (const opened of servers.splice(0)) opened.close();
});

/** Answers what `api` answers it. */
const asker = (tag: string): string[] => [
  "perl",
  "-MIO::Socket",
  "-e",
  `$|=1; $SIG{PIPE}='IGNORE'; # ${tag}
$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1) or die;
while($c=$s->accept){ while(($h=<$c>)=~/\\S/){}
  $a=IO::Socket::INET->new(PeerAddr=>qq(api:8080),Timeout=>5); $t=qq(nobody\\n);
  if($a){ print $a qq(GET / HTTP/1.0\\r\\n\\r\\n); @l=<$a>; $t=$l[-1] if @l }
  print $c qq(HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n$$ $t); close $c }`,
];

/** The names that a process of this machine knows: in the state, which is the user's alone and no litter after SIGKILL. */
const hostsFiles = (): string[] => {
  const services = path.join(process.env["XDG_STATE_HOME"]!, "fastloop", "up");
  const files = readdirSync(services, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith("/api.hosts"));
};

/** What stands in: says what it was given, and what \`db\` answers under the name that a container has for it. */
const program = `import http from "node:http";
const db = await new Promise((resolve) => {
  const request = http.get(process.env.DB, (response) => response.on("data", (text) => resolve(String(text).trim())));
  request.on("error", (error) => resolve(error.code));
});
http.createServer((_request, response) => response.end("local " + process.env.MODE + " " + db + "\\n"))
  .listen(Number(process.argv[2]), "localhost");
`;

describe.runIf(canRunEngine)("up --local", () => {
  it("lets a process of this machine take a service's place and give it back, and makes no dependent anew", async () => {
    const [db = 0, api = 0, web = 0] = await freePorts(3);
    const env = { MODE: "dev", DB: "http://db:8080/" };
    project.write("server.mjs", program);
    project.configure({
      services: {
        db: { image, command: server("db"), ports: `${db}:8080` },
        api: { image, command: server("api"), ports: `${api}:8080`, needs: ["db"], env },
        web: { image, command: asker("web"), ports: `${web}:8080`, needs: ["api"] },
      },
    });
    const up = project.start("--ui", "--local", `api=${api}`, "--", "node", "server.mjs", String(api));
    const page = new URL(String((await up.next("page"))["url"]));
    await up.next("settled");
    const press = async (to: string): Promise<void> => {
      const headers = {
        authorization: `Bearer ${page.hash.replace("#token=", "")}`,
        "content-type": "application/json",
      };
      const body = JSON.stringify({ do: "switch", node: "api", to });
      expect(await ask(Number(page.port), "/do", { method: "POST", headers, body })).toMatchObject({ status: 200 });
    };
    const move = async (to: string): Promise<void> => {
      const from = up.events.length;
      await press(to);
      const isHere = (event: WatchEvent): boolean => (event["service"] as { place?: string } | undefined)?.place === to;
      await up.until((events) => events.slice(from).some((event) => isState("api", "healthy")(event) && isHere(event)));
    };
    const asked = async (wanted: string): Promise<string> => {
      const text = await until(
        () => get(web),
        (now) => now?.endsWith(` ${wanted}\n`) === true,
      );
      return text!.split(" ")[0]!;
    };
    const pid = await asked("local dev db");
    expect(hostsFiles()).toHaveLength(1);
    expect(await get(api)).toBe("local dev db\n");
    expect((await project.run("status")).stdout).toMatch(
      new RegExp(`^api +healthy +localhost:${api} -> 8080 \\(local\\)`, "m"),
    );
    expect((await project.run("shell", "api")).exitCode).not.toBe(0);
    // It has its files from here; nothing is made anew.
    project.write("server.mjs", `${program}\n`);
    await move("container");
    expect(await asked("api")).toBe(pid);
    expect(await get(api)).toBe("api\n");
    expect(hostsFiles()).toEqual([]);
    await move("local");
    expect(await asked("local dev db")).toBe(pid);
    expect(await get(api)).toBe("local dev db\n");

    // What does not start takes no place.
    await move("container");
    project.write("server.mjs", "console.log('broken here'); process.exit(7);");
    await press("local");
    const isTold = ({ event, text }: WatchEvent): boolean => event === "notice" && /stays where/.test(String(text));
    await up.until((events) => events.some(isTold));
    const told = up.events.find(isTold)!;
    expect(told["text"]).toMatch(/api: stays where it is: .*exit code: 7[^]*broken here/);
    expect(await asked("api")).toBe(pid);
    expect(await get(api)).toBe("api\n");
    expect(up.events.filter(isState("web", "starting"))).toHaveLength(1);
  });

  it("waits for no process that the user starts, and leads to it when it is there", async () => {
    const [db = 0, api = 0, web = 0, own = 0] = await freePorts(4);
    project.configure({
      services: {
        db: { image, command: server("db"), ports: `${db}:8080` },
        api: { image, command: server("api"), ports: `${api}:8080`, needs: ["db"], env: { DB: "tcp://db:8080" } },
        web: { image, command: asker("web"), ports: `${web}:8080`, needs: ["api"] },
      },
    });
    const up = project.start("--local", `api=${own}`);
    await up.next("settled");
    expect(stateOf(up.events.find(isState("api", "unhealthy"))!).reason).toContain(`localhost:${own}`);
    expect(await get(web)).toMatch(/nobody/);
    const text = String(
      up.events.find(({ event, text }) => event === "notice" && String(text).startsWith("api: start it"))!["text"],
    );
    expect(readFileSync(/ in (\/.*\.env)$/.exec(text)![1]!, "utf8")).toBe(`DB="tcp://localhost:${db}"\n`);
    const mine = net.createServer((socket) => socket.on("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nmine\n")));
    servers.push(mine);
    await new Promise<void>((resolve) => mine.listen(own, "localhost", resolve));
    await up.until((events) => events.some(isState("api", "healthy")));
    expect(await get(api)).toBe("mine\n");
    expect(await get(web)).toMatch(/ mine$/m);
  });

  it("says what it can't be", async () => {
    const [db = 0] = await freePorts(1);
    project.configure({
      services: { db: { image, command: server("db"), ports: `${db}:8080` }, silent: { image, command: "sleep 1000" } },
      local: { here: { run: "true" } },
    });
    const refused = async (...words: string[]): Promise<string> => (await project.run("up", ...words)).stderr;
    expect(await refused("--local", "db")).toContain("`db` names no service and port");
    expect(await refused("--local", "web=80")).toContain("`web` is no service that is asked for");
    expect(await refused("--trust", "--local", "here=80")).toContain("is a process of this machine already");
    expect(await refused("--local", "silent=80", "silent")).toContain("exposes no port");
    expect(await refused("db", "--local", "db=80", "-d")).toContain("needs a terminal");
    expect(await refused("--local", "db=80", "--local", "silent=81", "--", "x")).toContain("replaces only one service");
  });
});
