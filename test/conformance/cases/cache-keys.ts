import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client, Container, Directory } from "@dagger.io/dagger";
import { baseImage, type CaseContext, type ConformanceCase } from "./case.ts";

const base = (dag: Client): Container => dag.container().from(baseImage);

/** Prints something else each time that it really runs. */
const run = (container: Container, unique: string): Promise<string> =>
  container.withExec(["sh", "-c", `cat /proc/sys/kernel/random/uuid # ${unique}`]).stdout();

/** Whether the command runs once for both containers. */
async function once(unique: string, one: Container, other: Container): Promise<boolean> {
  return (await run(one, unique)) === (await run(other, unique));
}

const tree = (dag: Client, rest: string, part = "A"): Directory =>
  dag.directory().withNewFile("lib/a", part).withNewFile("api/x", rest);

const build = async (
  { dag, unique }: CaseContext,
  command: string,
  options: { value: string; mount?: string },
): Promise<string> =>
  await dag
    .directory()
    .withNewFile(
      "Dockerfile",
      `FROM ${baseImage}\n# ${unique}\nRUN --mount=${options.mount ?? "type=secret,id=token"} ${command} > /n\n`,
    )
    .dockerBuild({ secrets: [dag.setSecret("token", options.value)] })
    .file("/n")
    .contents();

const uuid = (unique: string): string => `(cat /proc/sys/kernel/random/uuid; echo ${unique})`;

/** What a result depends on, and what it doesn't. */
export const cacheKeyCases: ConformanceCase[] = [
  {
    name: "a host directory is copied as one of equal content was, also after a command that could write to it",
    run: async ({ dag, unique, folder, relativeFolder }) => {
      for (const name of ["one", "other"]) {
        await mkdir(path.join(folder, name, "d"), { recursive: true });
        await writeFile(path.join(folder, name, "d/f"), unique);
      }
      const one = dag.host().directory(`${relativeFolder}/one`);
      const other = dag.host().directory(`${relativeFolder}/other`);
      await run(base(dag).withMountedDirectory("/w", one), unique);
      return once(unique, base(dag).withDirectory("/w", one), base(dag).withDirectory("/w", other));
    },
    expected: true,
  },
  {
    name: "a command runs again on another cache volume, and both volumes have what it wrote",
    run: async ({ dag, unique }) => {
      const on = (name: string) => base(dag).withMountedCache("/c", dag.cacheVolume(name + unique));
      const fill = (name: string) => run(on(name).withExec(["sh", "-c", `touch /c/mark # ${unique}`]), unique);
      const look = (name: string) => on(name).withEnvVariable("LOOK", name).withExec(["ls", "/c"]).stdout();
      return [(await fill("a")) !== (await fill("b")), await look("a"), await look("b")];
    },
    expected: [true, "mark\n", "mark\n"],
  },
  {
    name: "a command with a cache volume is cached on that volume",
    run: ({ dag, unique }) => {
      const on = () => base(dag).withMountedCache("/c", dag.cacheVolume(unique));
      return once(unique, on(), on());
    },
    expected: true,
  },
  {
    name: "the sharing mode of a cache volume is in the key",
    run: async ({ dag, unique }) => {
      const shared = base(dag).withMountedCache("/c", dag.cacheVolume(unique));
      const locked = base(dag).withMountedCache("/c", dag.cacheVolume(unique), { sharing: "LOCKED" as never });
      return await once(unique, shared, locked);
    },
    expected: false,
  },
  {
    name: "a volume that is shared in another way is another volume",
    run: async ({ dag, unique }) => {
      const on = (sharing?: string) =>
        base(dag)
          .withEnvVariable("RUN", unique)
          .withMountedCache("/c", dag.cacheVolume(unique), sharing === undefined ? {} : { sharing: sharing as never });
      for (const sharing of ["LOCKED", "PRIVATE"])
        await on(sharing)
          .withExec(["touch", `/c/${sharing}`])
          .sync();
      const look = (sharing?: string) => on(sharing).withExec(["ls", "/c"]).stdout();
      return [await look("LOCKED"), await look("PRIVATE"), await look("SHARED"), await look()];
    },
    expected: ["LOCKED\n", "PRIVATE\n", "", ""],
  },
  {
    name: "where a cache volume is mounted is in the key, also which of two is where",
    run: async ({ dag, unique }) => {
      const [a, b] = [dag.cacheVolume(`a${unique}`), dag.cacheVolume(`b${unique}`)];
      const one = base(dag).withMountedCache("/a", a).withMountedCache("/b", b);
      const other = base(dag).withMountedCache("/a", b).withMountedCache("/b", a);
      return [
        await once(unique, one, other),
        await once(unique, base(dag).withMountedCache("/a", a), base(dag).withMountedCache("/b", a)),
      ];
    },
    expected: [false, false],
  },
  {
    name: "the command sees nothing of what is in the key for its volumes",
    run: ({ dag, unique }) =>
      base(dag)
        .withMountedCache("/c", dag.cacheVolume(unique))
        .withExec([
          "sh",
          "-c",
          `ls -A /.fastloop 2>/dev/null | grep -c volumes; env | grep -ci volumes; true # ${unique}`,
        ])
        .stdout(),
    expected: "0\n0\n",
  },
  {
    name: "a mounted part of a directory is known by its content alone",
    run: async ({ dag, unique }) => {
      const on = (rest: string, part?: string) =>
        base(dag).withMountedDirectory("/s", tree(dag, rest, part).directory("lib"));
      return [await once(unique, on("1"), on("2")), await once(unique, on("1"), on("1", "B"))];
    },
    expected: [true, false],
  },
  {
    name: "a file of a directory that is mounted is known by its content alone",
    run: async ({ dag, unique }) => {
      const on = (rest: string, part?: string) => base(dag).withMountedFile("/f", tree(dag, rest, part).file("lib/a"));
      return [await once(unique, on("1"), on("2")), await once(unique, on("1"), on("1", "B"))];
    },
    expected: [true, false],
  },
  {
    name: "a part that is mounted read-only is known by its content alone",
    run: async ({ dag, unique }) => {
      const on = (rest: string, part?: string) =>
        base(dag).withMountedDirectory("/s", tree(dag, rest, part).directory("lib"), { readOnly: true });
      return [await once(unique, on("1"), on("2")), await once(unique, on("1"), on("1", "B"))];
    },
    expected: [true, false],
  },
  {
    name: "a mounted part with an owner is known by its content and owner",
    run: async ({ dag, unique }) => {
      const on = (rest: string, owner: string) =>
        base(dag).withMountedDirectory("/s", tree(dag, rest).directory("lib"), { owner });
      return [
        await once(unique, on("1", "1000"), on("2", "1000")),
        await once(unique, on("1", "1000"), on("1", "1001")),
      ];
    },
    expected: [true, false],
  },
  {
    name: "a mounted part of what a command made is known by its content alone",
    run: async ({ dag, unique }) => {
      const made = (word: string) =>
        base(dag).withExec(["sh", "-c", `mkdir -p /out/lib && echo a > /out/lib/a && echo ${word} > /out/other`]);
      const on = (word: string) => base(dag).withMountedDirectory("/s", made(word).directory("/out/lib"));
      return await once(unique, on("1"), on("2"));
    },
    expected: true,
  },
  {
    name: "a mounted part of a host directory is known by its content alone, after any edit beside it",
    run: async ({ dag, folder, unique }) => {
      await mkdir(path.join(folder, "lib"));
      await writeFile(path.join(folder, "lib/a"), "A");
      const host = () => dag.host().directory(folder, { noCache: true });
      const first = await run(base(dag).withMountedDirectory("/s", host().directory("lib")), unique);
      const file = await run(base(dag).withMountedFile("/s", host().file("lib/a")), unique);
      await writeFile(path.join(folder, "beside"), "new");
      return [
        (await run(base(dag).withMountedDirectory("/s", host().directory("lib")), unique)) === first,
        (await run(base(dag).withMountedFile("/s", host().file("lib/a")), unique)) === file,
      ];
    },
    expected: [true, true],
  },
  {
    name: "what commands write to a mounted part goes on from one to the next",
    run: async ({ dag }) => {
      const container = base(dag)
        .withMountedDirectory("/s", tree(dag, "1").directory("lib"))
        .withExec(["sh", "-c", "echo one >> /s/b"])
        .withNewFile("/s/c", "c")
        .withExec(["sh", "-c", "echo two >> /s/b"]);
      return [
        await container.directory("/s").entries(),
        await container.file("/s/b").contents(),
        await container.directory("/s").file("a").contents(),
      ];
    },
    expected: [["a", "b", "c"], "one\ntwo\n", "A"],
  },
  {
    name: "a mounted part keeps its owner and mode",
    run: ({ dag }) => {
      const part = base(dag)
        .withExec([
          "sh",
          "-c",
          "mkdir -p /w/p && echo x > /w/p/f && chown 7:8 /w/p /w/p/f && chmod 750 /w/p && chmod 4711 /w/p/f",
        ])
        .directory("/w/p");
      return base(dag).withMountedDirectory("/s", part).withExec(["stat", "-c", "%a %u:%g", "/s", "/s/f"]).stdout();
    },
    expected: "750 7:8\n4711 7:8\n",
  },
  {
    name: "a missing part can't be mounted",
    run: ({ dag }) =>
      base(dag).withMountedDirectory("/s", tree(dag, "1").directory("nope")).withExec(["ls", "/s"]).stdout(),
    fails: { message: /no such file or directory/ },
  },
  {
    name: "a copied part of a directory is known by its content alone",
    run: async ({ dag, unique }) => {
      const on = (rest: string, part?: string) => base(dag).withDirectory("/s", tree(dag, rest, part).directory("lib"));
      return [await once(unique, on("1"), on("2")), await once(unique, on("1"), on("1", "B"))];
    },
    expected: [true, false],
  },
  {
    name: "what a filter leaves out is in no key, what it takes is",
    run: async ({ dag, unique }) => {
      const on = (rest: string, part?: string) =>
        base(dag).withMountedDirectory("/s", tree(dag, rest, part).filter({ include: ["lib"] }));
      return [await once(unique, on("1"), on("2")), await once(unique, on("1"), on("1", "B"))];
    },
    expected: [true, false],
  },
  {
    name: "one tree made in two ways is mounted as one",
    run: async ({ dag, unique }) => {
      const one = dag.directory().withNewFile("x", "1").withNewFile("y", "2");
      const other = dag.directory().withNewFile("z", "3").withNewFile("y", "2").withNewFile("x", "1").withoutFile("z");
      return [
        await once(unique, base(dag).withMountedDirectory("/s", one), base(dag).withMountedDirectory("/s", other)),
        await once(unique, base(dag).withDirectory("/s", one), base(dag).withDirectory("/s", other)),
      ];
    },
    expected: [true, true],
  },
  {
    name: "labels, annotations, ports, defaults and the way to a variable are in no key",
    run: async ({ dag, unique }) => {
      const plain = base(dag);
      const dressed = base(dag)
        .withEnvVariable("GONE", "1")
        .withoutEnvVariable("GONE")
        .withLabel("l", "v")
        .withAnnotation("a", "v")
        .withExposedPort(80)
        .withEntrypoint(["e"])
        .withDefaultArgs(["d"])
        .withWorkdir("/tmp")
        .withoutWorkdir()
        .withUser("nobody")
        .withoutUser();
      return await once(unique, plain, dressed.withWorkdir("/"));
    },
    expected: true,
  },
  {
    name: "variables, user and working directory are in the key",
    run: async ({ dag, unique }) => {
      const plain = base(dag);
      return [
        await once(unique, plain, plain.withEnvVariable("A", "1")),
        await once(unique, plain.withEnvVariable("A", "1"), plain.withEnvVariable("A", "2")),
        await once(unique, plain, plain.withUser("nobody")),
        await once(unique, plain, plain.withWorkdir("/tmp")),
      ];
    },
    expected: [false, false, false, false],
  },
  {
    name: "a mounted secret counts by its value",
    run: async ({ dag, unique }) => {
      const on = (value: string) =>
        base(dag).withMountedSecret("/run/s", dag.setSecret(`cache-key-${value}`, value + unique));
      return [await once(unique, on("one"), on("two")), await once(unique, on("one"), on("one"))];
    },
    expected: [false, true],
  },
  {
    name: "a Dockerfile's secret counts by its value, as a file and as a variable",
    run: async (context) => {
      const file = (value: string) => build(context, "cat /run/secrets/token", { value: value + context.unique });
      const variable = (value: string) =>
        build(context, "sh -c 'echo $T'", { value: value + context.unique, mount: "type=secret,id=token,env=T" });
      const { unique } = context;
      return [
        (await file("one")).replace(unique, ""),
        (await file("two")).replace(unique, ""),
        (await variable("one")).trim().replace(unique, ""),
        (await variable("two")).trim().replace(unique, ""),
      ];
    },
    expected: ["one", "two", "one", "two"],
    only: { engine: "embedded", reason: "a Dagger engine takes one name for one value" },
  },
  {
    name: "a Dockerfile's step with a secret is cached for the same value",
    run: async (context) => {
      const once = () => build(context, uuid(context.unique), { value: `same${context.unique}` });
      return (await once()) === (await once());
    },
    expected: true,
  },
  {
    name: "what follows a Dockerfile's step with a secret follows its value",
    run: async ({ dag, unique }) => {
      const file = `FROM ${baseImage} AS one\n# ${unique}\nRUN --mount=type=secret,id=token cat /run/secrets/token > /n\nFROM ${baseImage}\nCOPY --from=one /n /m\nRUN cat /m > /o\n`;
      const made = (value: string) =>
        dag
          .directory()
          .withNewFile("Dockerfile", file)
          .dockerBuild({ secrets: [dag.setSecret("token", value)] })
          .file("/o")
          .contents();
      return [await made("first"), await made("second"), await made("first")];
    },
    expected: ["first", "second", "first"],
    only: { engine: "embedded", reason: "a Dagger engine takes one name for one value" },
  },
  {
    name: "a build that is given no secret has none, whatever another one was given",
    run: async ({ dag, unique }) => {
      const made = dag
        .directory()
        .withNewFile(
          "Dockerfile",
          `FROM ${baseImage}\nRUN --mount=type=secret,id=token${unique} test -e /run/secrets/token${unique} && echo there > /n || echo none > /n\n`,
        );
      const given = await made
        .dockerBuild({ secrets: [dag.setSecret(`token${unique}`, `plain-${unique}`)] })
        .file("/n")
        .contents();
      return [given, await made.dockerBuild().file("/n").contents()];
    },
    expected: ["there\n", "none\n"],
  },
  {
    name: "a Dockerfile's step runs again on another cache volume",
    run: async (context) => {
      const on = (id: string) =>
        build(context, uuid(context.unique), {
          value: "volume-token",
          mount: `type=cache,target=/c,id=${id}${context.unique}`,
        });
      return [(await on("a")) !== (await on("b")), (await on("a")) === (await on("a"))];
    },
    expected: [true, true],
  },
];
