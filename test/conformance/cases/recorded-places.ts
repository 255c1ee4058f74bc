import type { Client, Container, Directory } from "@dagger.io/dagger";
import { recorded } from "../recorded/index.ts";
import { base, made, seen, seenIn, sh } from "./tools.ts";
import type { CaseContext, ConformanceCase } from "./case.ts";

type Question = (context: CaseContext) => Promise<unknown>;
/** A value, or that it failed and with which exit code. */
const told = (answer: Promise<unknown>): Promise<unknown> =>
  answer.catch((error: { exitCode?: number }) => ({ error: error.exitCode ?? null }));
const each = <T>(entries: Record<string, T>, ask: (context: CaseContext, entry: T) => Promise<unknown>) =>
  Object.fromEntries(
    Object.entries(entries).map(([name, entry]): [string, Question] => [name, (context) => told(ask(context, entry))]),
  );

const platforms = ["linux/amd64", "linux/x86_64", "amd64", "linux", "LINUX/AMD64", "linux/arm64/v8", "linux/arm64"];
platforms.push("linux/arm/v7", "linux/arm", "linux/arm/v6", "arm64", "aarch64", "linux/aarch64", "windows/amd64");
platforms.push("linux/386", "linux/i386", "linux/amd64/v2", "linux/s390x", "bad", "linux/", "/amd64", "a/b/c/d");
platforms.push("linux/armhf", "armel", "linux/amd64/v1", "darwin");

const changes: Record<string, (dag: Client, container: Container) => Container> = {
  env: (_dag, container) => container.withEnvVariable("A", "1"),
  file: (_dag, container) => container.withNewFile("/x", ""),
  dir: (dag, container) => container.withDirectory("/x", dag.directory()),
  without: (_dag, container) => container.withoutFile("/x"),
  sym: (_dag, container) => container.withSymlink("a", "/b"),
  mount: (dag, container) => container.withMountedDirectory("/x", dag.directory()),
  user: (_dag, container) => container.withUser("x"),
  label: (_dag, container) => container.withLabel("a", "b"),
  port: (_dag, container) => container.withExposedPort(3),
  rootfs: (dag, container) => container.withRootfs(dag.directory()),
  cache: (dag, container) => container.withMountedCache("/c", dag.cacheVolume("x")),
  annot: (_dag, container) => container.withAnnotation("a", "b"),
};

const fields: Record<string, (container: Container) => Promise<unknown>> = {
  entrypoint: (container) => container.entrypoint(),
  defaultArgs: (container) => container.defaultArgs(),
  ports: (container) => container.exposedPorts(),
  envs: (container) => container.envVariables(),
  label: (container) => container.label("x"),
  env1: (container) => container.envVariable("x"),
  stdout: (container) => container.stdout(),
  exit: (container) => container.exitCode(),
  fileName: (container) => container.file("/x").name(),
  dirName: (container) => container.directory("/y").name(),
  fileSize: (container) => container.file("/x").size(),
  withNewFile: (container) => idOf(container.withNewFile("/a", "")),
  withUser: (container) => idOf(container.withUser("x")),
  withoutFile: (container) => idOf(container.withoutFile("/etc/passwd")),
  dirNew: (container) => idOf(container.directory("/y").withNewFile("z", "")),
  dirTs: (container) => idOf(container.directory("/y").withTimestamps(1)),
};
const idOf = (value: { id(): Promise<unknown> }): Promise<string> => value.id().then((id) => typeof id);

const script =
  "mkdir -p /w/d/sub && cd /w && echo t > t && ln -s t l && ln -s d dl && ln -s nowhere n && ln -s /w/d/sub abs && chmod 600 t && chown 5:6 t";
const onto: Record<string, (container: Container) => Container> = {
  folder: (container) => container.withNewFile("/w/d", "x"),
  link: (container) => container.withNewFile("/w/l", "x"),
  dirlink: (container) => container.withNewFile("/w/dl", "x"),
  dangling: (container) => container.withNewFile("/w/n", "x"),
  abs: (container) => container.withNewFile("/w/abs", "x"),
  file: (container) => container.withNewFile("/w/t", "x"),
  below: (container) => container.withNewFile("/w/dl/q", "x"),
};

const linked = (dag: Client): Directory => {
  const names = "mkdir -p /w/d/sub && cd /w && echo t > t && ln -s t l && ln -s d dl && ln -s nowhere n && chmod 600 t";
  return sh(base(dag), names).directory("/w");
};
const ontoDirectory: Record<string, (dag: Client, directory: Directory) => Directory> = {
  newLink: (_dag, directory) => directory.withNewFile("l", "x"),
  newDangling: (_dag, directory) => directory.withNewFile("n", "x"),
  newBelow: (_dag, directory) => directory.withNewFile("dl/q", "x"),
  newFolder: (_dag, directory) => directory.withNewFile("d", "x"),
  fileLink: (dag, directory) => directory.withFile("l", dag.file("src", "x")),
  fileFolder: (dag, directory) => directory.withFile("d", dag.file("src", "x")),
  fileDangling: (dag, directory) => directory.withFile("n", dag.file("src", "x")),
  fileDirlink: (dag, directory) => directory.withFile("dl", dag.file("src", "x")),
  fileSlash: (dag, directory) => directory.withFile("dl/", dag.file("src", "x")),
  dirLink: (dag, directory) => directory.withDirectory("l", made(dag, { z: "" })),
};

/** Platforms, references, told fields and places, as a Dagger engine answered on 29 November 2026. */
export const recordedPlaceCases: ConformanceCase[] = [
  ...recorded(
    "platform",
    each(Object.fromEntries(platforms.map((name) => [name, name])), ({ dag }, name) =>
      dag.container({ platform: name as never }).platform(),
    ),
  ),
  ...recorded(
    "image reference after",
    each(changes, async ({ dag }, change) => {
      const container = base(dag);
      return (await change(dag, container).imageRef()) === (await container.imageRef());
    }),
  ),
  ...recorded(
    "told by a container whose command fails",
    each(fields, ({ dag }, ask) => ask(sh(base(dag), "exit 5"))),
  ),
  ...recorded(
    "new file put onto",
    each(onto, ({ dag }, put) => seen(put(sh(base(dag), script)))),
  ),
  ...recorded(
    "directory put onto",
    each(ontoDirectory, ({ dag }, put) => seenIn(dag, put(dag, linked(dag)))),
  ),
];
