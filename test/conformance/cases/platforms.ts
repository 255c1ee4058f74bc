import { baseImage, matching, type ConformanceCase } from "./case.ts";

/** Images across platforms, archives and registries. */
export const platformCases: ConformanceCase[] = [
  {
    name: "a platform is spelt in full, and keeps a variant that was written",
    run: async ({ dag }) => [
      await dag.container({ platform: "linux/aarch64" as never }).platform(),
      await dag.container({ platform: "linux/arm64/v8" as never }).platform(),
      await dag.container({ platform: "linux/x86_64" as never }).platform(),
      await dag.container({ platform: "linux/arm/v7" as never }).platform(),
    ],
    expected: ["linux/arm64", "linux/arm64/v8", "linux/amd64", "linux/arm/v7"],
  },
  {
    name: "an image that lacks a platform is refused, by from and by a Dockerfile",
    run: async ({ dag }) => {
      const reason = (work: Promise<unknown>) =>
        work.then(
          () => "none",
          (error: Error) => error.message,
        );
      const platform = "linux/s390x" as never;
      return [
        await reason(dag.container({ platform }).from(baseImage).sync()),
        await reason(
          dag.directory().withNewFile("Dockerfile", `FROM ${baseImage}\nRUN true\n`).dockerBuild({ platform }).sync(),
        ),
        await reason(
          dag
            .directory()
            .withNewFile("Dockerfile", `FROM --platform=linux/s390x ${baseImage}\nRUN true\n`)
            .dockerBuild()
            .sync(),
        ),
      ];
    },
    expected: [matching(/no match for platform/), matching(/no match for platform/), matching(/no match for platform/)],
    only: { engine: "embedded", reason: "docker.io has the base image for that platform as well" },
  },
  {
    name: "a Dockerfile takes no image of another platform for the one that is asked for",
    run: async ({ dag, registry, unique }) => {
      const address = `${registry}/one-variant:${unique}`;
      await dag.container().from(baseImage).withNewFile("/only", "").publish(address);
      return await dag
        .directory()
        .withNewFile("Dockerfile", `FROM ${address}\nCOPY Dockerfile /x\n`)
        .dockerBuild({ platform: "linux/s390x" as never })
        .file("/x")
        .size();
    },
    fails: { message: /no variant for linux\/s390x|no match for platform/ },
    only: { engine: "embedded", reason: "a Dagger engine takes the one variant that there is" },
  },
  {
    name: "nor one of another machine for the engine's own",
    run: async ({ dag, registry, unique }) => {
      const address = `${registry}/other-machine:${unique}`;
      const platform = "linux/s390x" as never;
      await dag.container({ platform }).withNewFile("/only", "").publish(address);
      return await dag
        .directory()
        .withNewFile("Dockerfile", `FROM ${address}\nCOPY Dockerfile /x\n`)
        .dockerBuild()
        .sync();
    },
    fails: { message: /has no variant for linux\/\w+, only for linux\/s390x|no match for platform/ },
    only: { engine: "embedded", reason: "a Dagger engine takes the one variant that there is" },
  },
  {
    name: "a chain on an imported tarball is answered, question after question",
    run: async ({ dag, unique }) => {
      const made = dag
        .container()
        .from(baseImage)
        .withEnvVariable("A", unique)
        .withNewFile("/x", unique)
        .withLabel("l", "v");
      const back = dag.container().import_(made.asTarball());
      return [
        (await back.envVariable("A")) === unique,
        (await back.file("/x").contents()) === unique,
        await back.label("l"),
        (await back.withExec(["cat", "/x"]).stdout()) === unique,
        await back.withoutFile("/x").exists("/x"),
      ];
    },
    expected: [true, true, "v", true, false],
  },
  {
    name: "tarballs of other contents are others",
    run: async ({ dag, unique }) => {
      const tarball = (label: string) => dag.container().withNewFile("/x", unique).withLabel("l", label).asTarball();
      const label = async (text: string) => await dag.container().import_(tarball(text)).label("l");
      return [
        await label("one"),
        await label("two"),
        (await tarball("one").digest()) === (await tarball("two").digest()),
      ];
    },
    expected: ["one", "two", false],
  },
];
