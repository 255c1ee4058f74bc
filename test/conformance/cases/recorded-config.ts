import type { Client, Container } from "@dagger.io/dagger";
import { recorded } from "../recorded/index.ts";
import { baseImage, type CaseContext, type ConformanceCase } from "./case.ts";

const base = (dag: Client): Container => dag.container().from(baseImage);
const told = (container: Container, script: string): Promise<string> =>
  container.withExec(["sh", "-c", script]).stdout();
const commands = async (container: Container): Promise<unknown> => [
  await container.entrypoint(),
  await container.defaultArgs(),
];
const both = (dag: Client): Container => base(dag).withDefaultArgs(["d1", "d2"]).withEntrypoint(["ep", "x y"]);
const overridden = (dag: Client): Container =>
  dag
    .container()
    .withEnvVariable("A", "1")
    .withEnvVariable("PATH", "/mine")
    .withLabel("l", "v")
    .withWorkdir("/w")
    .withUser("nobody")
    .withDefaultArgs(["x"])
    .withEntrypoint(["e"])
    .withExposedPort(99)
    .from(baseImage);

const expanding = (dag: Client, words: string, expand = true): Promise<string> =>
  base(dag)
    .withEnvVariable("A", "alpha")
    .withEnvVariable("B", "two words")
    .withExec(["printf", "[%s]", words], { expand })
    .stdout();

const ids = async (container: Container): Promise<string[]> =>
  (await told(container, "id -u; id -g; id -G")).trimEnd().split("\n");

const key = "-----BEGIN KEY-----\nabc def\n  indented line\n-----END KEY-----\n";
const masked = (
  { dag, unique }: CaseContext,
  script: string,
  secrets: Record<string, string> = { KEY: key, S: "q", E: "" },
): Promise<string> =>
  told(
    Object.entries(secrets).reduce(
      (container, [name, value]) => container.withSecretVariable(name, dag.setSecret(`${name}-${unique}`, value)),
      base(dag).withEnvVariable("U", unique),
    ),
    script,
  );

/** How a document that is wrong is refused: status, code, path, and what the expression finds in the message. */
const refused =
  (document: string, words: RegExp) =>
  async ({ query }: CaseContext) => {
    const { status, errors } = await query(document);
    const [error] = errors ?? [];
    return {
      status,
      code: error?.extensions?.["code"] ?? null,
      path: error?.path ?? null,
      says: words.exec(error?.message ?? "")?.[0] ?? null,
    };
  };

export const recordedConfigCases: ConformanceCase[] = [
  ...recorded("entrypoint", {
    image: ({ dag }) => commands(base(dag)),
    reset: ({ dag }) => commands(both(dag)),
    keep: ({ dag }) =>
      base(dag).withDefaultArgs(["d1"]).withEntrypoint(["ep"], { keepDefaultArgs: true }).defaultArgs(),
    imageArgsReset: ({ dag }) => base(dag).withEntrypoint(["ep"]).defaultArgs(),
    after: ({ dag }) => both(dag).withDefaultArgs(["n"]).defaultArgs(),
    withoutEntrypoint: ({ dag }) => commands(both(dag).withDefaultArgs(["n"]).withoutEntrypoint()),
    withoutEntrypointKeep: ({ dag }) =>
      both(dag).withDefaultArgs(["n"]).withoutEntrypoint({ keepDefaultArgs: true }).defaultArgs(),
    withoutDefaultArgs: ({ dag }) => commands(both(dag).withDefaultArgs(["n"]).withoutDefaultArgs()),
  }),
  ...recorded("from", {
    a: ({ dag }) => overridden(dag).envVariable("A"),
    path: ({ dag }) => overridden(dag).envVariable("PATH"),
    label: ({ dag }) => overridden(dag).label("l"),
    workdir: ({ dag }) => overridden(dag).workdir(),
    user: ({ dag }) => overridden(dag).user(),
    args: ({ dag }) => overridden(dag).defaultArgs(),
    entrypoint: ({ dag }) => overridden(dag).entrypoint(),
    again: ({ dag }) => overridden(dag).withNewFile("/gone", "x").from(baseImage).exists("/gone"),
  }),
  ...recorded("query", {
    unknownField: refused("{container{nope}}", /Cannot query field/),
    missingArg: refused("{container{from{platform}}}", /argument "address"/),
    wrongType: refused('{directory{withNewFile(path:1,contents:"x"){entries}}}', /String/),
    badEnum: refused(
      `{container{from(address:"${baseImage}"){withExec(args:["true"],expect:SOMETIMES){exitCode}}}}`,
      /SOMETIMES/,
    ),
    syntax: refused("{container{", /Expected/),
    noSelection: refused("{container}", /selection/),
  }),
  ...recorded("exec", {
    error: async ({ query }) => {
      const { status, errors = [] } = await query(
        `{container{from(address:"${baseImage}"){bad:withExec(args:["sh","-c","echo o; echo e >&2; exit 6"]){withExec(args:["true"]){stdout}}}}}`,
      );
      const { _type: type, ...fields } = errors[0]!.extensions!;
      return { count: errors.length, path: errors[0]!.path, type, ...fields, status };
    },
    args: ({ dag }) =>
      base(dag)
        .withExec([
          "printf",
          "[%s]",
          "a b",
          "",
          "*",
          "$HOME",
          "'q'",
          '"d"',
          "new\nline",
          "tab\t",
          "ü",
          "\\n",
          "{{x}}",
          "-n",
        ])
        .stdout(),
  }),
  ...recorded("expand", {
    plain: ({ dag }) => expanding(dag, "$A ${B}", false),
    dollar: ({ dag }) => expanding(dag, "$A-${B}"),
    missing: ({ dag }) => expanding(dag, "<$NOPE>"),
    doubled: ({ dag }) => expanding(dag, "$$A \\$A"),
    dflt: ({ dag }) => expanding(dag, "${A:-x} ${NOPE:-fallback}"),
  }),
  ...recorded("user", {
    idName: ({ dag }) => ids(base(dag).withUser("nobody")),
    idNumber: ({ dag }) => ids(base(dag).withUser("1234")),
    idBoth: ({ dag }) => ids(base(dag).withUser("1234:5678")),
    idGroupName: ({ dag }) => ids(base(dag).withUser("nobody:daemon")),
    without: ({ dag }) => ids(base(dag).withUser("nobody").withoutUser()),
  }),
  ...recorded("scrub", {
    whole: (context) => masked(context, "printf '%s' \"$KEY\""),
    empty: (context) => masked(context, 'echo "[$E]"'),
    overlap: (context) => masked(context, "echo abcdef abcd abc", { A: "abcd", B: "abcdef" }),
    unicode: (context) => masked(context, 'echo "<$A>"', { A: "pässwörd" }),
    untrimmed: (context) => masked(context, 'echo "<$A>"; echo spaced', { A: "  spaced  " }),
  }),
  {
    name: "a line of a secret is masked too",
    run: (context) => masked(context, "printf '%s' \"$KEY\" | sed -n 2p"),
    expected: "***\n",
    only: { engine: "embedded", reason: "a Dagger engine masks whole secrets only" },
  },
  {
    name: "a secret of one letter is not masked in every word",
    run: (context) => masked(context, "echo quiet quality"),
    expected: "quiet quality\n",
    only: { engine: "embedded", reason: "a Dagger engine masks it in every word" },
  },
];
