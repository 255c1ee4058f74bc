import type { Client } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

const context = (dag: Client, dockerfile: string) =>
  dag.directory().withNewFile("Dockerfile", dockerfile).withNewFile("app/f.txt", "from the context");

export const dockerfileCases: ConformanceCase[] = [
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
    fails: { exitCode: 7, stdout: "words" },
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
