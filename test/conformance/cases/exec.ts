import { ReturnType } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

export const execCases: ConformanceCase[] = [
  {
    name: "stdout, stderr and exit code of an exec are what the command gave",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage).withExec(["sh", "-c", "echo out; echo err >&2"]);
      return [await container.stdout(), await container.stderr(), await container.exitCode()];
    },
    expected: ["out\n", "err\n", 0],
  },
  {
    name: "a failed exec is an ExecError with command, exit code and both streams",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["sh", "-c", "echo out; echo err >&2; exit 3"]).sync(),
    fails: {
      message: /exit code: 3/,
      exitCode: 3,
      stdout: "out",
      stderr: "err",
      cmd: ["sh", "-c", "echo out; echo err >&2; exit 3"],
    },
  },
  {
    name: "a failed exec fails again when it is asked again",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage).withExec(["sh", "-c", "exit 9"]);
      await container.stdout().catch(() => undefined);
      return await container.stdout();
    },
    fails: { exitCode: 9 },
  },
  {
    name: "a long error output keeps its end",
    run: async ({ dag }) => {
      try {
        await dag.container().from(baseImage).withExec(["sh", "-c", "seq 1 20000 >&2; exit 1"]).sync();
        return "passed";
      } catch (error) {
        const { stderr } = error as { stderr: string };
        return [stderr.startsWith("[omitting "), stderr.endsWith("19999\n20000"), stderr.length < 103_000];
      }
    },
    expected: [true, true, true],
  },
  {
    name: "expect ANY lets a failure pass",
    run: async ({ dag }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", "echo o; exit 4"], { expect: ReturnType.Any });
      return [await container.exitCode(), await container.stdout()];
    },
    expected: [4, "o\n"],
  },
  {
    name: "expect FAILURE lets a failure pass",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["false"], { expect: ReturnType.Failure }).exitCode(),
    expected: 1,
  },
  {
    name: "expect FAILURE fails when the command passes",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["true"], { expect: ReturnType.Failure }).exitCode(),
    fails: { exitCode: 0, cmd: ["true"] },
  },
  {
    name: "a command that does not exist is an exec error",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["no-such-command"]).sync(),
    fails: { message: /exit code: 1/, cmd: ["no-such-command"], exitCode: 1 },
  },
  {
    name: "what can't be run ends with 1: a folder, no program, an interpreter that is not there, nothing at all",
    run: async ({ dag }) => {
      const file = (contents: string, permissions: number) =>
        dag.container().from(baseImage).withNewFile("/x", contents, { permissions });
      const starts = [
        dag.container().from(baseImage).withExec(["/etc"], { expect: ReturnType.Any }),
        file("#!/bin/sh\n", 0o644).withExec(["/x"], { expect: ReturnType.Any }),
        file("#!/no/such/interpreter\n", 0o755).withExec(["/x"], { expect: ReturnType.Any }),
        file("no program", 0o755).withExec(["/x"], { expect: ReturnType.Any }),
        dag.container().withExec(["true"], { expect: ReturnType.Any }),
      ];
      return await Promise.all(starts.map((start) => start.exitCode()));
    },
    expected: [1, 1, 1, 1, 1],
  },
  {
    name: "a command killed by a signal has 128 plus its number",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["sh", "-c", "kill -9 $$"]).sync(),
    fails: { exitCode: 137 },
  },
  {
    name: "stdin is what the command reads",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["cat"], { stdin: "line\nno newline" }).stdout(),
    expected: "line\nno newline",
  },
  {
    name: "without stdin the command reads nothing",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["cat"]).stdout(),
    expected: "",
  },
  {
    name: "redirected streams are in files and in stdout",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage).withExec(["sh", "-c", "cat; echo e >&2"], {
        stdin: "in put",
        redirectStdout: "/o.txt",
        redirectStderr: "/e.txt",
      });
      return [
        await container.stdout(),
        await container.stderr(),
        await container.file("/o.txt").contents(),
        await container.file("/e.txt").contents(),
      ];
    },
    expected: ["in put", "e\n", "in put", "e\n"],
  },
  {
    name: "redirectStdin reads a file of the container",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withNewFile("/in.txt", "from a file")
        .withExec(["cat"], { redirectStdin: "/in.txt" })
        .stdout(),
    expected: "from a file",
  },
  {
    name: "stdin and redirectStdin exclude each other",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["cat"], { stdin: "x", redirectStdin: "/y" }).sync(),
    fails: { message: /cannot set both stdin and redirectStdin/ },
  },
  {
    name: "an exec sees what the exec before it wrote",
    run: ({ dag }) =>
      dag.container().from(baseImage).withExec(["sh", "-c", "echo 1 > /f"]).withExec(["cat", "/f"]).stdout(),
    expected: "1\n",
  },
  {
    name: "stdout is that of the last exec",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["echo", "1"]).withExec(["echo", "2"]).stdout(),
    expected: "2\n",
  },
  {
    name: "stdout survives later changes that are no execs",
    run: ({ dag }) =>
      dag.container().from(baseImage).withExec(["echo", "1"]).withEnvVariable("A", "b").withNewFile("/q", "").stdout(),
    expected: "1\n",
  },
  {
    name: "stdout without an exec is an error",
    run: ({ dag }) => dag.container().from(baseImage).stdout(),
    fails: { message: /no command has been set/ },
  },
  {
    name: "an exec without arguments runs the default arguments",
    run: ({ dag }) => dag.container().from(baseImage).withDefaultArgs(["echo", "default"]).withExec([]).stdout(),
    expected: "default\n",
  },
  {
    name: "the entrypoint is used only when asked for",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage).withEntrypoint(["echo", "ep"]);
      return [
        await container.withExec(["x"], { useEntrypoint: true }).stdout(),
        await container.withExec(["echo", "x"]).stdout(),
        await container.withDefaultArgs(["y"]).withExec([], { useEntrypoint: true }).stdout(),
      ];
    },
    expected: ["ep x\n", "x\n", "ep y\n"],
  },
  {
    name: "expand replaces variables in arguments",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withEnvVariable("A", "1")
        .withEnvVariable("B", "${A}2", { expand: true })
        .withExec(["echo", "$B", "${A}", "-$NONE-"], { expand: true })
        .stdout(),
    expected: "12 1 --\n",
  },
  {
    name: "without expand, a dollar is a dollar",
    run: ({ dag }) => dag.container().from(baseImage).withEnvVariable("A", "1").withExec(["echo", "$A"]).stdout(),
    expected: "$A\n",
  },
  {
    name: "the working directory is made when it is not there",
    run: ({ dag }) => dag.container().from(baseImage).withWorkdir("/new/place").withExec(["pwd"]).stdout(),
    expected: "/new/place\n",
  },
  {
    name: "a user by name runs the command",
    run: ({ dag }) => dag.container().from(baseImage).withUser("nobody").withExec(["id", "-un"]).stdout(),
    expected: "nobody\n",
  },
  {
    name: "a user by number runs the command",
    run: ({ dag }) =>
      dag.container().from(baseImage).withUser("1234:1235").withExec(["sh", "-c", "id -u; id -g"]).stdout(),
    expected: "1234\n1235\n",
  },
  {
    name: "a user that does not exist is an error that names it",
    run: ({ dag }) => dag.container().from(baseImage).withUser("nosuch").withExec(["id"]).stdout(),
    fails: { message: /nosuch/ },
  },
  {
    name: "output that is not UTF-8 comes with replacement characters",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["printf", "\\377x"]).stdout(),
    expected: "\uFFFDx",
  },
  {
    name: "ten thousand lines of output arrive whole and in order",
    run: async ({ dag }) => {
      const text = await dag.container().from(baseImage).withExec(["seq", "1", "10000"]).stdout();
      return text === Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join("");
    },
    expected: true,
  },
  {
    name: "an equal exec is not run again in the session",
    run: async ({ dag, unique }) => {
      const container = () =>
        dag.container().from(baseImage).withEnvVariable("U", unique).withExec(["sh", "-c", "date +%N"]);
      return (await container().stdout()) === (await container().stdout());
    },
    expected: true,
  },
  {
    name: "a volatile variable is seen by the command but makes no new exec",
    run: async ({ dag, unique }) => {
      const run = (value: string) =>
        dag
          .container()
          .from(baseImage)
          .withVolatileVariable("V", value)
          .withExec(["sh", "-c", `echo ${unique} $V`])
          .stdout();
      return (await run("one")).includes(" one") && (await run("two")) === (await run("one"));
    },
    expected: true,
  },
  {
    name: "commands at the same time see their own values of a volatile variable",
    run: async ({ dag, unique }) => {
      // All of them are known before the first one starts, as they wait for it.
      const first = dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", `sleep 1 # ${unique}`]);
      const run = (value: string) =>
        first
          .withVolatileVariable("V", value)
          .withExec(["sh", "-c", `echo ${value} $V`])
          .stdout();
      return await Promise.all(["one", "two", "three"].map(run));
    },
    expected: ["one one\n", "two two\n", "three three\n"],
  },
  {
    name: "parallel fields of one request see one exec",
    run: async ({ query, unique }) => {
      const answer = await query(
        `{container{from(address:"${baseImage}"){withExec(args:["sh","-c","echo ${unique}; date +%N"]){a:stdout b:stdout file(path:"/etc/passwd"){name} exitCode}}}}`,
      );
      const { a, b, exitCode } = (
        answer.data as { container: { from: { withExec: { a: string; b: string; exitCode: number } } } }
      ).container.from.withExec;
      return [a === b, exitCode];
    },
    expected: [true, 0],
  },
  {
    name: "insecureRootCapabilities gives the command all capabilities, and without it they are few",
    run: async ({ dag }) => {
      const capabilities = async (insecureRootCapabilities: boolean): Promise<bigint> => {
        const exec = dag
          .container()
          .from(baseImage)
          .withExec(["sh", "-c", "sed -n 's/CapEff:.//p' /proc/self/status"], { insecureRootCapabilities });
        return BigInt(`0x${(await exec.stdout()).trim()}`);
      };
      return (await capabilities(true)) > (await capabilities(false));
    },
    expected: true,
  },
  {
    name: "what is cut of a failing command's output is counted",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; exit 7"])
        .stdout()
        .catch(({ stdout }: { stdout: string }) => [stdout.slice(0, 30), stdout.length]),
    // The words take the place of the first bytes of what is kept.
    expected: ["[omitting 4897600 bytes]...xxx", 102_400],
  },
  {
    name: "a command whose input is missing is not started: no exit code, no output, the reason",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["cat"], { redirectStdin: "/nope.txt" }).stdout(),
    fails: {
      message: /open \S*\/nope.txt: no such file or directory/,
      exitCode: -1,
      stdout: "",
      stderr: "",
      cmd: ["cat"],
    },
  },
  {
    name: "a command that ends with 125 by itself has that exit code",
    run: ({ dag }) => dag.container().from(baseImage).withExec(["sh", "-c", "echo out; exit 125"]).stdout(),
    fails: { exitCode: 125, stdout: "out" },
  },
];
