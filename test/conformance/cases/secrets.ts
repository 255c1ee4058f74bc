import { writeFile } from "node:fs/promises";
import path from "node:path";
import { baseImage, matching, type ConformanceCase } from "./case.ts";

export const secretCases: ConformanceCase[] = [
  {
    name: "a secret variable is in the environment, and masked in the output",
    run: ({ dag, unique }) => {
      const secret = dag.setSecret("s", `hunter-${unique}`);
      return dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", secret)
        .withExec(["sh", "-c", "echo $S; echo ${#S}"])
        .stdout();
    },
    expected: matching(/^\*\*\*\n\d+\n$/),
  },
  {
    name: "a mounted secret has mode 0400, its content and no trace in the container",
    run: async ({ dag, unique }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withMountedSecret("/run/sec", dag.setSecret("m", `mounted-${unique}`))
        .withExec(["sh", "-c", "wc -c < /run/sec; stat -c %a /run/sec; cat /run/sec"]);
      return [(await container.stdout()).replace(/^\d+/, "N"), await container.rootfs().glob("run/sec")];
    },
    expected: ["N\n400\n***", []],
  },
  {
    name: "a mounted secret takes owner and mode",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedSecret("/s", dag.setSecret("o", `owned-${unique}`), { owner: "nobody", mode: 0o440 })
        .withExec(["stat", "-c", "%a %u:%g", "/s"])
        .stdout(),
    expected: "440 65534:65534\n",
  },
  {
    name: "a failing exec's error masks the secret",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", dag.setSecret("f", `failing-${unique}`))
        .withExec(["sh", "-c", "echo $S; echo $S >&2; exit 1"])
        .stdout(),
    fails: { exitCode: 1, stdout: "***", stderr: "***" },
  },
  {
    name: "name and plaintext of a set secret are what was set",
    run: async ({ dag }) => {
      const secret = dag.setSecret("the-name", "the-text");
      return [await secret.name(), await secret.plaintext()];
    },
    expected: ["the-name", "the-text"],
  },
  {
    name: "a secret from a file of the host is its content",
    run: async ({ dag, folder }) => {
      await writeFile(path.join(folder, "token"), "from file\n");
      return await dag.secret(`file://${path.join(folder, "token")}`).plaintext();
    },
    expected: "from file\n",
  },
  {
    name: "a secret from a command is what it prints",
    run: ({ dag }) => dag.secret("cmd://printf 'from %s' command").plaintext(),
    expected: "from command",
  },
  {
    name: "a secret from a command is masked in a container like any other",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", dag.secret(`cmd://printf 'from command %s' ${unique}`))
        .withExec(["sh", "-c", 'echo "[$S]"; echo ${#S}'])
        .stdout(),
    expected: "[***]\n25\n",
  },
  {
    name: "a secret's command that fails is an error that says so",
    run: ({ dag }) => dag.secret("cmd://exit 3").plaintext(),
    fails: { message: /failed to run secret command/ },
  },
  {
    name: "a secret from the environment is the variable",
    run: async ({ dag }) => (await dag.secret("env://HOME").plaintext()) === process.env["HOME"],
    expected: true,
  },
  {
    name: "a missing variable is an error that does not tell its whole name",
    run: ({ dag }) => dag.secret("env://NOPE_NOPE").plaintext(),
    fails: { message: /secret env var not found: "NOP\.\.\."/ },
  },
  {
    name: "expand refuses secret variables",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", dag.setSecret("e", "x"))
        .withExec(["echo", "$S"], { expand: true })
        .sync(),
    fails: { message: /expand cannot be used with secret env variable "S"/ },
  },
  {
    name: "withoutSecretVariable takes the variable away",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", dag.setSecret("w", "x"))
        .withoutSecretVariable("S")
        .withExec(["sh", "-c", "echo ${S-unset}"])
        .stdout(),
    expected: "unset\n",
  },
  {
    name: "a changed secret runs the command again",
    run: async ({ dag, unique }) => {
      const length = (text: string) =>
        dag
          .container()
          .from(baseImage)
          .withSecretVariable("S", dag.setSecret(`c-${unique}`, text))
          .withExec(["sh", "-c", "echo ${#S}"])
          .stdout();
      return [await length("four"), await length("sevens!")];
    },
    expected: ["4\n", "7\n"],
    only: { engine: "embedded", reason: "a Dagger 0.21 engine knows a set secret by its name only" },
  },
  {
    name: "a secret printed in pieces, twice, and beside other text is masked each time",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withSecretVariable("S", dag.setSecret(`p-${unique}`, `abcab-${unique}-abcab`))
        .withExec(["sh", "-c", 'printf \'x%sy%s\' "$S" "$S"; printf \'%s\' "$S" | cat; printf \'%.5s\' "$S"'])
        .stdout(),
    expected: "x***y******abcab",
  },
  {
    name: "nothing is masked where no secret is used",
    run: ({ dag, unique }) => {
      void dag.setSecret(`unused-${unique}`, "plain");
      return dag.container().from(baseImage).withExec(["echo", "plain"]).stdout();
    },
    expected: "plain\n",
  },
];
