import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import path from "node:path";
import type { Client, Container, Directory, Service } from "@dagger.io/dagger";
import { baseImage, matching, type ConformanceCase } from "./case.ts";

/** Answers each connection with a text; `$$` in it is the number of the process, `%` a word of this run of it. */
const perl = [
  "$| = 1; $SIG{TERM} = sub { exit 0 };",
  "my ($port, $text) = @ARGV; my $run = int(rand(1e12)); $text =~ s/%/$run/;",
  "$s = IO::Socket::INET->new(LocalPort => $port, Listen => 50, ReuseAddr => 1) or die $!;",
  "while ($c = $s->accept) { print $c $text, qq(\\n); close $c }",
].join(" ");

const answering = (port: number, text: string): string[] => ["perl", "-MIO::Socket", "-e", perl, String(port), text];
/** Reads what a port answers, with bash alone. */
const ask = (host: string, port: number): string[] => ["bash", "-c", `cat < /dev/tcp/${host}/${port}`];

const base = (dag: Client): Container => dag.container().from(baseImage);
const serving = (dag: Client, text: string, port = 8080): Service =>
  base(dag)
    .withExposedPort(port)
    .asService({ args: answering(port, text) });
const asking = (dag: Client, service: Service, host = "web", port = 8080): Promise<string> =>
  base(dag).withServiceBinding("web", service).withExec(ask(host, port)).stdout();

/** The first line of an answer. */
const line = (dag: Client, service: Service, port: number): Promise<string> =>
  base(dag)
    .withServiceBinding("web", service)
    .withExec(["bash", "-c", `exec 3<> /dev/tcp/web/${port}; read -r line <&3; echo "$line"`])
    .stdout();

/** What a port of this machine answers. */
function askHost(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (data) => (text += data.toString("utf8")));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

async function withServer<T>(
  target: { port: number } | { path: string },
  text: string,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    // The client hangs up: a Dagger engine does not pass the end of the host's side on.
    socket.write(`${text}\n`);
  });
  await new Promise<void>((resolve) =>
    "port" in target ? server.listen(0, "127.0.0.1", resolve) : server.listen(target.path, resolve),
  );
  try {
    return await use(server);
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

export const serviceCases: ConformanceCase[] = [
  {
    name: "a bound service is reached by its alias",
    run: ({ dag, unique }) => asking(dag, serving(dag, unique)).then((text) => text === `${unique}\n`),
    expected: true,
  },
  {
    name: "a bound service is reached by its own hostname too",
    run: async ({ dag, unique }) => {
      const service = serving(dag, unique);
      return (await asking(dag, service, await service.hostname())) === `${unique}\n`;
    },
    expected: true,
  },
  {
    name: "an exec with a binding is cached by what the service is",
    run: async ({ dag, unique }) => {
      const bound = (text: string) =>
        base(dag)
          .withServiceBinding("web", serving(dag, text))
          .withExec(["bash", "-c", "cat < /dev/tcp/web/8080; date +%N"])
          .stdout();
      const [first, again, other] = [await bound(unique), await bound(unique), await bound(`other ${unique}`)];
      return [first === again, other.startsWith("other")];
    },
    expected: [true, true],
  },
  {
    name: "a service runs once, whoever uses it",
    run: async ({ dag, unique }) => {
      const service = serving(dag, `${unique} %`);
      const container = base(dag).withServiceBinding("web", service);
      const answers = await Promise.all(
        [1, 2, 3].map((number) => container.withEnvVariable("N", `${number}`).withExec(ask("web", 8080)).stdout()),
      );
      return new Set(answers).size;
    },
    expected: 1,
  },
  {
    name: "two services on one port do not collide; where all containers share one network, the second is refused with the first's name",
    run: async ({ dag, unique }) => {
      const text = await base(dag)
        .withServiceBinding("one", serving(dag, `one ${unique}`))
        .withServiceBinding("two", serving(dag, `two ${unique}`))
        .withExec(["bash", "-c", "cat < /dev/tcp/one/8080; cat < /dev/tcp/two/8080"])
        .stdout()
        .catch((error: Error) => error.message);
      return text.replaceAll(unique, "U");
    },
    expected: matching(
      /^one U\ntwo U\n$|^service \w{13}: port 8080 is held by service \w{13}; this BuildKit gives containers no network of their own/,
    ),
  },
  {
    name: "a service uses the services that it is bound to",
    run: async ({ dag, unique }) => {
      const front = base(dag)
        .withServiceBinding("db", serving(dag, unique, 5432))
        .withExposedPort(80)
        .asService({
          args: [
            "bash",
            "-c",
            `text=$(cat < /dev/tcp/db/5432); exec "$0" "$@" "front $text"`,
            ...answering(80, "").slice(0, -1),
          ],
        });
      return (await asking(dag, front, "web", 80)).replace(unique, "U");
    },
    expected: "front U\n",
  },
  {
    name: "a service has the container's files, mounts, environment, secrets, user and working directory",
    run: async ({ dag, unique }) => {
      const script = `echo "$(cat f)" "$(cat /m/g)" "$V" "$S" "$(id -u)" "$PWD" > /tmp/answer; exec perl -MIO::Socket -e '${perl}' 8080 "$(cat /tmp/answer)"`;
      const service = base(dag)
        .withNewFile("/w/f", `file ${unique}`)
        .withMountedDirectory("/m", dag.directory().withNewFile("g", "mounted"))
        .withEnvVariable("V", "variable")
        .withSecretVariable("S", dag.setSecret(`s-${unique}`, "hush"))
        .withUser("1000")
        .withWorkdir("/w")
        .withExposedPort(8080)
        .asService({ args: ["bash", "-c", script] });
      return (await asking(dag, service)).replace(unique, "U");
    },
    expected: "file U mounted variable hush 1000 /w\n",
  },
  {
    name: "without arguments a service runs the entrypoint, or the default arguments that were given, or both if asked to",
    run: async ({ dag, unique }) => {
      const entered = base(dag)
        .withExposedPort(8080)
        .withEntrypoint(answering(8080, `e ${unique}`));
      const given = entered.withDefaultArgs(answering(8080, `d ${unique}`));
      const both = base(dag)
        .withExposedPort(8080)
        .withEntrypoint(["perl", "-MIO::Socket"])
        .withDefaultArgs(answering(8080, `b ${unique}`).slice(2));
      const services = [entered.asService(), given.asService(), both.asService({ useEntrypoint: true })];
      const answers: string[] = [];
      for (const service of services) answers.push((await asking(dag, service)).replace(unique, "U"));
      return answers;
    },
    expected: ["e U\n", "d U\n", "b U\n"],
  },
  {
    name: "arguments replace the entrypoint unless it is asked for",
    run: async ({ dag, unique }) => {
      const container = base(dag).withEntrypoint(["perl", "-MIO::Socket"]).withExposedPort(8080);
      const whole = container.asService({ args: answering(8080, `a ${unique}`) });
      const after = container.asService({ args: answering(8080, `b ${unique}`).slice(2), useEntrypoint: true });
      return [await asking(dag, whole), await asking(dag, after)].map((text) => text.replace(unique, "U"));
    },
    expected: ["a U\n", "b U\n"],
  },
  {
    name: "a container without a command makes no service",
    run: ({ dag }) => dag.container().asService().hostname(),
    fails: { message: /no service command has been set/ },
  },
  {
    name: "a service answers dag.http at its endpoint, and another time what it says then",
    run: async ({ dag }) => {
      const service = serving(dag, "HTTP/1.0 200 OK\r\n\r\nserved by %");
      await service.start();
      const url = await service.endpoint({ scheme: "http" });
      const first = await dag.http(url).contents();
      await service.stop({ kill: true });
      await service.start();
      const second = await dag.http(url, { name: "other" }).contents();
      return [/^served by \d+\n$/.test(first), first === second];
    },
    expected: [true, false],
  },
  {
    name: "hostname, endpoint and ports are known before a service runs",
    run: async ({ dag }) => {
      const service = base(dag)
        .withExposedPort(80, { description: "web" })
        .withExposedPort(9000)
        .asService({ args: ["sleep", "1"] });
      const ports = await service.ports();
      return {
        hostname: await service.hostname(),
        endpoints: [await service.endpoint(), await service.endpoint({ port: 9000, scheme: "tcp" })],
        ports: await Promise.all(
          ports.map(async (port) => [await port.port(), await port.protocol(), await port.description()]),
        ),
      };
    },
    expected: {
      hostname: matching(/^[0-9a-v]{13}$/),
      endpoints: [matching(/^[0-9a-v]{13}:80$/), matching(/^tcp:\/\/[0-9a-v]{13}:9000$/)],
      ports: [
        [80, "TCP", "web"],
        [9000, "TCP", null],
      ],
    },
  },
  {
    name: "withHostname names a service",
    run: async ({ dag, unique }) => {
      const service = serving(dag, unique).withHostname("called");
      return [
        await service.hostname(),
        await service.endpoint(),
        (await asking(dag, service, "called")) === `${unique}\n`,
      ];
    },
    expected: ["called", "called:8080", true],
  },
  {
    name: "a service with a number that is no port is refused with that number",
    run: async ({ dag }) => {
      await dag
        .container()
        .from(baseImage)
        .withExposedPort(70_000)
        .asService({ args: ["sleep", "60"] })
        .start();
    },
    fails: { message: /invalid port 70000/ },
    only: { engine: "embedded", reason: "a Dagger engine tries to reach it for a quarter of an hour" },
  },
  {
    name: "a service without ports has no endpoint",
    run: ({ dag }) =>
      base(dag)
        .asService({ args: ["sleep", "1"] })
        .endpoint(),
    fails: { message: /no ports exposed/ },
  },
  {
    name: "a service that ends at its start is a failed exec with its output",
    run: ({ dag, unique }) =>
      base(dag)
        .withEnvVariable("U", unique)
        .withExposedPort(81)
        .asService({ args: ["sh", "-c", "echo said; echo no >&2; exit 4"] })
        .start(),
    fails: {
      message: /exit code: 4/,
      exitCode: 4,
      stdout: "said\n",
      stderr: "no\n",
      cmd: ["sh", "-c", "echo said; echo no >&2; exit 4"],
    },
  },
  {
    name: "an exec fails with the service that it is bound to",
    run: ({ dag, unique }) =>
      asking(
        dag,
        base(dag)
          .withEnvVariable("U", unique)
          .withExposedPort(81)
          .asService({ args: ["sh", "-c", "echo no >&2; exit 5"] }),
      ),
    fails: { message: /exit code: 5/, exitCode: 5 },
  },
  {
    name: "a port without health check is not waited for",
    run: async ({ dag, unique }) => {
      const service = base(dag)
        .withEnvVariable("U", unique)
        .withExposedPort(82, { experimentalSkipHealthcheck: true })
        .asService({ args: ["sleep", "30"] });
      await (await service.start()).stop();
      return true;
    },
    expected: true,
  },
  {
    name: "a stopped service starts anew",
    run: async ({ dag, unique }) => {
      const service = serving(dag, `${unique} %`);
      const container = base(dag).withServiceBinding("web", service);
      const first = await container.withEnvVariable("N", "1").withExec(ask("web", 8080)).stdout();
      await service.stop();
      const second = await container.withEnvVariable("N", "2").withExec(ask("web", 8080)).stdout();
      return first !== second;
    },
    expected: true,
  },
  {
    name: "a stop lets a service end by itself",
    run: async ({ dag, unique }) => {
      const volume = dag.cacheVolume(`stop-${unique}`);
      const farewell = `open F, ">", "/v/end"; print F "bye\\n"; close F; exit 0`;
      const service = base(dag)
        .withMountedCache("/v", volume)
        .withExposedPort(8080)
        .asService({ args: ["perl", "-MIO::Socket", "-e", perl.replace("exit 0", farewell), "8080", unique] });
      await service.start();
      await service.stop();
      return await base(dag).withMountedCache("/v", volume).withExec(["cat", "/v/end"]).stdout();
    },
    expected: "bye\n",
  },
  {
    name: "a started service is known by its hostname without a binding",
    run: async ({ dag, unique }) => {
      const service = await serving(dag, unique).start();
      const text = await base(dag)
        .withExec(ask(await service.hostname(), 8080))
        .stdout();
      await service.stop();
      return text === `${unique}\n`;
    },
    expected: true,
  },
  {
    name: "a tunnel leads from a port of the host to a service, until it is stopped",
    run: async ({ dag, unique }) => {
      const tunnel = await dag.host().tunnel(serving(dag, unique)).start();
      const endpoint = await tunnel.endpoint();
      const port = Number(endpoint.split(":").at(-1));
      const answers = await Promise.all([1, 2, 3].map(() => askHost(port)));
      await tunnel.stop();
      const after = await askHost(port).catch((error: NodeJS.ErrnoException) => error.code);
      return [answers.every((answer) => answer === `${unique}\n`), after];
    },
    expected: [true, "ECONNREFUSED"],
  },
  {
    name: "a tunnel needs a service in a container and a port",
    run: async ({ dag }) => {
      const reason = (promise: Promise<unknown>) =>
        promise.then(
          () => "none",
          (error: Error) => /^[^[]*/.exec(error.message)?.[0].trim(),
        );
      const service = base(dag).asService({ args: ["sleep", "1"] });
      const host = dag.host().service([{ backend: 1 }]);
      return [await reason(dag.host().tunnel(service).id()), await reason(dag.host().tunnel(host).id())];
    },
    expected: ["no ports to forward", "tunneling to non-Container services is not supported"],
  },
  {
    name: "Host.service leads from a container to a port of the host",
    run: ({ dag, unique }) =>
      withServer({ port: 0 }, unique, async (server) => {
        const { port } = server.address() as AddressInfo;
        const service = dag.host().service([{ backend: port, frontend: 8081 }], { host: "127.0.0.1" });
        return [await service.endpoint(), (await line(dag, service, 8081)) === `${unique}\n`];
      }),
    expected: [matching(/^[0-9a-v]{13}:8081$/), true],
  },
  {
    name: "Host.service needs ports",
    run: ({ dag }) => dag.host().service([]).hostname(),
    fails: { message: /no ports specified/ },
  },
  {
    name: "a unix socket of the host is reached from a container",
    run: ({ dag, folder, unique }) =>
      withServer({ path: path.join(folder, "s") }, unique, async () => {
        const read = `use IO::Socket::UNIX; $s = IO::Socket::UNIX->new("/run/x.sock") or die $!; print scalar <$s>`;
        const container = base(dag)
          .withEnvVariable("U", unique)
          .withUnixSocket("/run/x.sock", dag.host().unixSocket(path.join(folder, "s")));
        const text = await container.withExec(["perl", "-e", read]).stdout();
        const gone = await container
          .withoutUnixSocket("/run/x.sock")
          .withExec(["sh", "-c", "test -e /run/x.sock; echo $?"])
          .stdout();
        return [text === `${unique}\n`, gone];
      }),
    expected: [true, "1\n"],
  },
  {
    name: "a directory that a bound exec made is what the service answered",
    run: async ({ dag, unique }) => {
      const container = base(dag)
        .withServiceBinding("web", serving(dag, unique))
        .withExec(["bash", "-c", "mkdir /o; cat < /dev/tcp/web/8080 > /o/f"]);
      const directory: Directory = container.directory("/o");
      return (await directory.file("f").contents()) === `${unique}\n`;
    },
    expected: true,
  },
  {
    name: "insecureRootCapabilities gives a service all capabilities",
    run: ({ dag }) => {
      const command =
        "sed -n 's/CapEff:.//p' /proc/self/status > /tmp/c; exec perl -MIO::Socket -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>5,ReuseAddr=>1);while($c=$s->accept){print $c `cat /tmp/c`;close $c}'";
      const service = dag
        .container()
        .from(baseImage)
        .withExposedPort(8080)
        .asService({ args: ["sh", "-c", command], insecureRootCapabilities: true });
      const asked = dag
        .container()
        .from(baseImage)
        .withServiceBinding("web", service)
        .withExec(["bash", "-c", "cat < /dev/tcp/web/8080"]);
      // CAP_SYS_ADMIN is bit 21.
      return asked.stdout().then((text) => (BigInt(`0x${text.trim()}`) >> 21n) & 1n);
    },
    expected: 1n,
  },
];
