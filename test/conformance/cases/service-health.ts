import type { Client, Container, Service } from "@dagger.io/dagger";
import { baseImage, matching, type ConformanceCase } from "./case.ts";

const base = (dag: Client, unique: string): Container => dag.container().from(baseImage).withEnvVariable("RUN", unique);

interface Check {
  script: string;
  retries?: number;
  startPeriod?: string;
  timeout?: string;
  args?: string[];
  ports?: number[];
}

const checked = (
  container: Container,
  { script, retries = 2, startPeriod, timeout = "5s", args = ["sleep", "60"], ports = [] }: Check,
): Service =>
  ports
    .reduce((result, port) => result.withExposedPort(port), container)
    .withDockerHealthcheck(["sh", "-c", script], {
      interval: "100ms",
      timeout,
      retries,
      ...(startPeriod === undefined ? {} : { startPeriod }),
    })
    .asService({ args });

const bound = (dag: Client, unique: string, service: Service, command = "echo ran"): Promise<string> =>
  base(dag, unique).withServiceBinding("s", service).withExec(["sh", "-c", command]).stdout();

/** Answers each connection with a text and closes it first: the port stays in TIME_WAIT, which this server does not get past. */
const closing = (text: string): string[] => [
  "perl",
  "-MIO::Socket",
  "-e",
  `$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5) or die "bind: $!"; while ($c = $s->accept) { print $c "${text}\\n"; close $c }`,
];

/** When a service is ready, and what happens when it is no more. */
export const serviceHealthCases: ConformanceCase[] = [
  {
    name: "a service whose health check fails is unhealthy: its exec does not run",
    run: ({ dag, unique }) =>
      bound(dag, unique, checked(base(dag, unique), { script: "echo out; echo err >&2; exit 7" })),
    fails: { message: /health check errored: .*exit code: 7/, exitCode: 7 },
  },
  {
    name: "a failed health check is an error of start with the check's command and output",
    run: ({ dag, unique }) => checked(base(dag, unique), { script: "echo out; echo err >&2; exit 7" }).start(),
    fails: {
      exitCode: 7,
      cmd: ["sh", "-c", "echo out; echo err >&2; exit 7"],
      stdout: matching(/^out\s*$/) as string,
      stderr: matching(/^err\s*$/) as string,
    },
  },
  {
    name: "a service is ready when its health check passes",
    run: ({ dag, unique }) => {
      const service = checked(base(dag, unique), {
        script: "test -e /tmp/ready",
        retries: 100,
        args: ["sh", "-c", "sleep 1; touch /tmp/ready; sleep 60"],
      });
      return bound(dag, unique, service);
    },
    expected: "ran\n",
  },
  {
    name: "failures within the start period do not count",
    run: ({ dag, unique }) => {
      const service = checked(base(dag, unique), {
        script: "test -e /tmp/ready",
        retries: 1,
        startPeriod: "1m",
        args: ["sh", "-c", "sleep 2; touch /tmp/ready; sleep 60"],
      });
      return bound(dag, unique, service);
    },
    expected: "ran\n",
  },
  {
    name: "the health check decides in place of the ports",
    run: async ({ dag, unique }) => {
      const closed = checked(base(dag, unique), { script: "true", ports: [8080] });
      const opened = checked(base(dag, unique), { script: "exit 3", ports: [8080], args: closing("open") });
      return [
        await bound(dag, unique, closed),
        await bound(dag, unique, opened).catch((error: { exitCode: number }) => error.exitCode),
      ];
    },
    expected: ["ran\n", 3],
  },
  {
    name: "a health check in a shell has the variables of the container",
    run: ({ dag, unique }) => {
      const service = base(dag, unique)
        .withDockerHealthcheck([`test "$RUN" = ${unique}`], { shell: true, interval: "100ms", retries: 1 })
        .asService({ args: ["sleep", "60"] });
      return bound(dag, unique, service);
    },
    expected: "ran\n",
  },
  {
    name: "a health check runs as the user and in the working directory of the container",
    run: ({ dag, unique }) => {
      const service = checked(base(dag, unique).withUser("nobody").withWorkdir("/tmp"), {
        script: '[ "$(id -un) $PWD" = "nobody /tmp" ]',
        retries: 1,
      });
      return bound(dag, unique, service);
    },
    expected: "ran\n",
  },
  {
    name: "a health check that is taken away decides nothing",
    run: ({ dag, unique }) => {
      const container = base(dag, unique)
        .withDockerHealthcheck(["false"], { interval: "100ms", retries: 1 })
        .withoutDockerHealthcheck();
      return bound(dag, unique, container.asService({ args: ["sleep", "60"] }));
    },
    expected: "ran\n",
  },
  {
    name: "a Dockerfile's HEALTHCHECK decides",
    run: ({ dag, unique }) => {
      const file = `FROM ${baseImage}\nENV RUN=${unique}\nHEALTHCHECK --interval=100ms --retries=2 CMD exit 9\nCMD ["sleep", "60"]\n`;
      return bound(dag, unique, dag.directory().withNewFile("Dockerfile", file).dockerBuild().asService());
    },
    fails: { exitCode: 9 },
  },
  {
    name: "a health check that hangs is a failed one",
    run: ({ dag, unique }) => checked(base(dag, unique), { script: "sleep 100", retries: 1, timeout: "500ms" }).start(),
    fails: { exitCode: 137 },
    only: { engine: "embedded", reason: "a Dagger engine reads the time-out and lets the check hang" },
  },
  {
    name: "HEALTHCHECK NONE is no health check",
    run: ({ dag, unique }) => {
      const file = `FROM ${baseImage}\nENV RUN=${unique}\nHEALTHCHECK NONE\nCMD ["sleep", "60"]\n`;
      return bound(dag, unique, dag.directory().withNewFile("Dockerfile", file).dockerBuild().asService());
    },
    expected: "ran\n",
    only: { engine: "embedded", reason: "a Dagger engine takes NONE for a malformed check" },
  },
  {
    name: "a service that ends before it is healthy tells its own exit code, every time",
    run: async ({ dag, unique }) => {
      const codes: unknown[] = [];
      for (let index = 0; index < 6; index++) {
        const service = checked(base(dag, `${unique}${index}`), {
          script: "false",
          retries: 1000,
          args: ["sh", "-c", `sleep 0.${index}; exit 9`],
        });
        codes.push(await service.start().catch((error: { exitCode: number }) => error.exitCode));
      }
      return codes;
    },
    expected: [9, 9, 9, 9, 9, 9],
  },
  {
    name: "a service that ends before its port is open tells its own exit code, every time",
    run: async ({ dag, unique }) => {
      const codes: unknown[] = [];
      for (let index = 0; index < 6; index++) {
        const service = base(dag, `${unique}${index}`)
          .withExposedPort(8080)
          .asService({ args: ["sh", "-c", `sleep 0.${index}; exit ${index + 1}`] });
        codes.push(await service.start().catch((error: { exitCode: number }) => error.exitCode));
      }
      return codes;
    },
    expected: [1, 2, 3, 4, 5, 6],
  },
  {
    name: "an exec ends when a service that it is bound to does, with that reason",
    run: ({ dag, unique }) =>
      bound(dag, unique, base(dag, unique).asService({ args: ["sh", "-c", "sleep 1; exit 4"] }), "sleep 100"),
    fails: { message: /bound service \S+ \(aliased as s\) exited: exit code: 4/ },
  },
  {
    name: "also when the service ends well, and when it has no port and ends at once",
    run: async ({ dag, unique }) => {
      const reason = (script: string) =>
        bound(dag, unique, base(dag, unique).asService({ args: ["sh", "-c", script] }), "sleep 100").catch(
          (error: Error) => error.message.replace(/service \S+/, "service"),
        );
      return [await reason("sleep 1"), await reason("exit 5")];
    },
    expected: [matching(/^bound service \(aliased as s\) exited/), matching(/exit code: 5/)],
  },
  {
    name: "a service ends with the one that it is bound to",
    run: ({ dag, unique }) => {
      const back = base(dag, unique).asService({ args: ["sh", "-c", "sleep 1; exit 6"] });
      const front = base(dag, unique)
        .withServiceBinding("back", back)
        .asService({ args: ["sleep", "1000"] });
      return bound(dag, unique, front, "sleep 100");
    },
    fails: { message: /bound service \S+ \(aliased as s\) exited: .*\(aliased as back\) exited: .*exit code: 6/ },
  },
  {
    name: "a service that ends after its exec is no failure of that",
    run: async ({ dag, unique }) => {
      const service = base(dag, unique).asService({ args: ["sh", "-c", "sleep 2; exit 4"] });
      const container = base(dag, unique).withServiceBinding("s", service).withExec(["echo", "ran"]);
      return [
        await container.stdout(),
        await container.withoutEnvVariable("RUN").withNewFile("/x", "").file("/x").size(),
      ];
    },
    expected: ["ran\n", 0],
  },
  {
    name: "a new service has a port to itself, whatever the last ones on it left behind",
    run: async ({ dag, unique }) => {
      const answers: string[] = [];
      for (let index = 0; index < 8; index++) {
        const service = base(dag, `${unique}${index}`)
          .withExposedPort(8080)
          .asService({ args: closing(`answer ${index}`) });
        answers.push(await bound(dag, `${unique}${index}`, service, "bash -c 'cat < /dev/tcp/s/8080'"));
        await service.stop();
      }
      return answers;
    },
    expected: Array.from({ length: 8 }, (_, index) => `answer ${index}\n`),
  },
];
