import { NetworkProtocol, type Platform } from "@dagger.io/dagger";
import { baseImage, matching, type ConformanceCase } from "./case.ts";

export const containerCases: ConformanceCase[] = [
  {
    name: "a container of nothing has the default platform and nothing else",
    run: async ({ dag }) => {
      const container = dag.container();
      return [
        (await container.platform()) === (await dag.defaultPlatform()),
        await container.rootfs().entries(),
        await container.user(),
      ];
    },
    expected: [true, [], ""],
  },
  {
    name: "from takes environment and arguments over from the image",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage);
      return [await container.defaultArgs(), await container.envVariable("PATH"), await container.workdir()];
    },
    expected: [["bash"], "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ""],
  },
  {
    name: "the image reference right after from is pinned by digest",
    run: async ({ dag }) =>
      /^docker\.io\/library\/debian:bookworm-slim@sha256:[0-9a-f]{64}$/.test(
        await dag.container().from(baseImage).imageRef(),
      ),
    expected: true,
  },
  {
    name: "a changed container has no image reference",
    run: ({ dag }) => dag.container().from(baseImage).withEnvVariable("A", "b").imageRef(),
    fails: { message: /Image reference can only be retrieved immediately after the 'Container.From' call/ },
  },
  {
    name: "an image that does not exist is an error that names it",
    run: ({ dag }) => dag.container().from("no-such-image-anywhere:1").sync(),
    fails: { message: /docker\.io\/library\/no-such-image-anywhere:1/ },
  },
  {
    name: "an address that is no image address is refused",
    run: ({ dag }) => dag.container().from("Not A Ref").sync(),
    fails: { message: /Not A Ref/ },
  },
  {
    name: "variables are added, replaced in their place, and removed",
    run: async ({ dag }) => {
      const container = dag.container().withEnvVariable("A", "1").withEnvVariable("B", "2").withEnvVariable("A", "3");
      const names = async (of: typeof container): Promise<string[]> =>
        await Promise.all(
          (await of.envVariables()).map(async (variable) => `${await variable.name()}=${await variable.value()}`),
        );
      return [
        await names(container),
        await names(container.withoutEnvVariable("A")),
        await container.envVariable("NONE"),
      ];
    },
    expected: [["A=3", "B=2"], ["B=2"], null],
  },
  {
    name: "labels are added and removed",
    run: async ({ dag }) => {
      const container = dag.container().withLabel("a", "1").withLabel("b", "2").withoutLabel("a");
      return [await container.label("a"), await container.label("b"), (await container.labels()).length];
    },
    expected: [null, "2", 1],
  },
  {
    name: "relative working directories are relative to the last one",
    run: async ({ dag }) => [
      await dag.container().withWorkdir("/a").withWorkdir("b/../c").workdir(),
      await dag.container().withWorkdir("x").workdir(),
      await dag.container().withWorkdir("/a").withoutWorkdir().workdir(),
    ],
    expected: ["/a/c", "/x", ""],
  },
  {
    name: "a new entrypoint removes the default arguments unless they are kept",
    run: async ({ dag }) => {
      const container = dag.container().withDefaultArgs(["d"]);
      return [
        await container.withEntrypoint(["e"]).defaultArgs(),
        await container.withEntrypoint(["e"], { keepDefaultArgs: true }).defaultArgs(),
        await container
          .withEntrypoint(["e"], { keepDefaultArgs: true })
          .withoutEntrypoint({ keepDefaultArgs: true })
          .defaultArgs(),
        await container.withoutDefaultArgs().defaultArgs(),
      ];
    },
    expected: [[], ["d"], ["d"], []],
  },
  {
    name: "a port may have any number until something runs on it",
    run: async ({ dag }) => {
      const numbers = [-1, 0, 70_000];
      const container = numbers.reduce((made, port) => made.withExposedPort(port), dag.container());
      const ports = await Promise.all((await container.exposedPorts()).map((port) => port.port()));
      return ports.toSorted((a, b) => a - b);
    },
    expected: [-1, 0, 70_000],
  },
  {
    name: "exposed ports carry protocol and description",
    run: async ({ dag }) => {
      const container = dag
        .container()
        .withExposedPort(80, { description: "web" })
        .withExposedPort(53, { protocol: NetworkProtocol.Udp })
        .withoutExposedPort(99);
      const ports = await Promise.all(
        (await container.exposedPorts()).map(async (port) => ({
          port: await port.port(),
          protocol: await port.protocol(),
          description: await port.description(),
        })),
      );
      // A Dagger engine gives them in no order.
      return ports.toSorted((a, b) => a.port - b.port);
    },
    expected: [
      { port: 53, protocol: "UDP", description: null },
      { port: 80, protocol: "TCP", description: "web" },
    ],
  },
  {
    name: "the platform asked for is the platform of an empty container",
    run: async ({ dag }) => [
      await dag.container({ platform: "linux/arm64" as Platform }).platform(),
      await dag.container({ platform: "linux/arm/v7" as Platform }).platform(),
    ],
    expected: ["linux/arm64", "linux/arm/v7"],
  },
  {
    name: "a platform that is none is refused",
    run: ({ query }) =>
      query(`{container(platform:"nonsense/x/y/z"){platform}}`).then((answer) => answer.errors?.[0]?.message),
    expected: matching(/nonsense\/x\/y\/z/),
  },
  {
    name: "withRootfs replaces what is under the mounts",
    run: async ({ dag }) => {
      const rootfs = dag.directory().withNewFile("etc/x", "x");
      return await dag.container().from(baseImage).withRootfs(rootfs).rootfs().glob("**");
    },
    expected: ["etc/", "etc/x"],
  },
  {
    name: "withRootfs of a part of a directory uses that part",
    run: ({ dag }) =>
      dag.container().withRootfs(dag.directory().withNewFile("part/x", "x").directory("part")).rootfs().entries(),
    expected: ["x"],
  },
  {
    name: "withError fails with the given words",
    run: ({ dag }) => dag.container().withError("on purpose").sync(),
    fails: { message: /on purpose/ },
  },
];
