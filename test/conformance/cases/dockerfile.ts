import type { Client, ExecError } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

const context = (dag: Client, dockerfile: string) =>
  dag.directory().withNewFile("Dockerfile", dockerfile).withNewFile("app/f.txt", "from the context");

/** A context that is copied as a whole, and an ignore file of this name. */
const ignoring = (dag: Client, ignoreFile: string) =>
  ["a/k", "a/z", "x.log", "s/x.log", "s/deep/q"]
    .reduce((made, name) => made.withNewFile(name, ""), dag.directory())
    .withNewFile("b.Dockerfile", `FROM ${baseImage}\nCOPY . /c/\n`)
    .withNewFile(ignoreFile, "# no comment\n/a\n!a/k\n*.log\n**/deep/\n")
    .dockerBuild({ dockerfile: "b.Dockerfile" })
    .directory("/c")
    .glob("**");

export const dockerfileCases: ConformanceCase[] = [
  {
    name: "what .dockerignore names is not in the context, and one that is called after the Dockerfile wins",
    run: async ({ dag }) => [
      await ignoring(dag, ".dockerignore"),
      (await ignoring(dag, "b.Dockerfile.dockerignore")).length,
    ],
    expected: [[".dockerignore", "a/", "a/k", "b.Dockerfile", "s/", "s/x.log"], 6],
  },
  {
    name: "dockerBuild builds a Dockerfile with its context",
    run: async ({ dag }) => {
      const container = context(
        dag,
        `FROM ${baseImage}\nCOPY app /app\nRUN echo built > /made\nENV A=1\nWORKDIR /app\nENTRYPOINT ["cat"]\nCMD ["f.txt"]\nEXPOSE 8080\nLABEL l=v\n`,
      ).dockerBuild();
      return [
        await container.file("/app/f.txt").contents(),
        await container.file("/made").contents(),
        await container.envVariable("A"),
        await container.workdir(),
        await container.entrypoint(),
        await container.label("l"),
        await container.withExec([], { useEntrypoint: true }).stdout(),
      ];
    },
    expected: ["from the context", "built\n", "1", "/app", ["cat"], "v", "from the context"],
  },
  {
    name: "dockerBuild takes build arguments, a target and another Dockerfile",
    run: async ({ dag }) => {
      const directory = dag
        .directory()
        .withNewFile(
          "sub/my.Dockerfile",
          `FROM ${baseImage} AS one\nARG WORD=none\nRUN echo $WORD > /word\nFROM one AS two\nRUN echo two > /two\n`,
        );
      const container = directory.dockerBuild({
        dockerfile: "sub/my.Dockerfile",
        target: "one",
        buildArgs: [{ name: "WORD", value: "given" }],
      });
      return [await container.file("/word").contents(), await container.exists("/two")];
    },
    expected: ["given\n", false],
  },
  {
    name: "dockerBuild of a part of a directory has that part as its context",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile("part/Dockerfile", "FROM scratch\nCOPY f /f\n")
        .withNewFile("part/f", "x")
        .withNewFile("outside", "")
        .directory("part")
        .dockerBuild()
        .rootfs()
        .entries(),
    expected: ["f"],
  },
  {
    name: "a secret reaches a Dockerfile's RUN and no layer",
    run: async ({ dag, unique }) => {
      const secret = dag.setSecret("token", `docker-${unique}`);
      const container = context(
        dag,
        `FROM ${baseImage}\n# ${unique}\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length\n`,
      ).dockerBuild({
        secrets: [secret],
      });
      return [(await container.file("/length").contents()).trim(), await container.exists("/run/secrets/token")];
    },
    expected: ["19", false],
  },
  {
    name: "a failing RUN fails the build",
    run: ({ dag }) => context(dag, `FROM ${baseImage}\nRUN echo words; exit 7\n`).dockerBuild().sync(),
    fails: { exitCode: 7, stdout: "words", cmd: ["/bin/sh", "-c", "echo words; exit 7"] },
  },
  {
    name: "a failing RUN is told with its words, as SHELL and the brackets have them",
    run: async ({ dag }) => {
      const failing = (run: string) =>
        context(dag, `FROM ${baseImage}\nSHELL ["/bin/bash", "-ec"]\nRUN ${run}\n`)
          .dockerBuild()
          .sync()
          .then(
            () => "passed",
            (error: ExecError) => error.cmd,
          );
      return [await failing("exit 3"), await failing('["sh", "-c", "exit 4"]')];
    },
    expected: [
      ["/bin/bash", "-ec", "exit 3"],
      ["sh", "-c", "exit 4"],
    ],
  },
  {
    name: "COPY --chown --chmod makes folders on its way as root's with 0755, but for the one that a file goes into",
    run: async ({ dag }) => {
      const container = dag
        .directory()
        .withNewFile("f.txt", "F")
        .withNewFile("g.txt", "G")
        .withNewFile("d/in/h", "H")
        .withNewFile(
          "Dockerfile",
          [
            `FROM ${baseImage} AS other`,
            `RUN mkdir -p /o && echo o > /o/o`,
            `FROM ${baseImage}`,
            "COPY --chown=1000:1001 --chmod=640 f.txt /into/a/",
            "COPY --chown=1000:1001 --chmod=640 f.txt /named/a/f",
            "COPY --chown=1000:1001 --chmod=640 *.txt /many/a/",
            "COPY --chown=1000:1001 --chmod=750 d /folder/a",
            "COPY --from=other --chown=1000:1001 --chmod=640 /o/o /stage/a/o",
          ].join("\n"),
        )
        .dockerBuild();
      const script =
        "find /into /named /many /folder /stage | LC_ALL=C sort | while read -r f; do stat -c '%n %a %u:%g' $f; done";
      return (await container.withExec(["sh", "-c", script]).stdout()).trimEnd().split("\n");
    },
    expected: [
      "/folder 755 0:0",
      "/folder/a 750 1000:1001",
      "/folder/a/in 750 1000:1001",
      "/folder/a/in/h 750 1000:1001",
      "/into 755 0:0",
      "/into/a 755 1000:1001",
      "/into/a/f.txt 640 1000:1001",
      "/many 755 0:0",
      "/many/a 755 1000:1001",
      "/many/a/f.txt 640 1000:1001",
      "/many/a/g.txt 640 1000:1001",
      "/named 755 0:0",
      "/named/a 755 0:0",
      "/named/a/f 640 1000:1001",
      "/stage 755 0:0",
      "/stage/a 755 0:0",
      "/stage/a/o 640 1000:1001",
    ],
  },
  {
    name: "a missing Dockerfile is an error that names it",
    run: ({ dag }) => dag.directory().withNewFile("x", "").dockerBuild().sync(),
    fails: { message: /Dockerfile/ },
  },
  {
    name: "a Dockerfile with an error is refused with its reason",
    run: ({ dag }) => dag.directory().withNewFile("Dockerfile", "FROM\nNOPE x\n").dockerBuild().sync(),
    fails: { message: /FROM|NOPE|unknown instruction/i },
  },
];
