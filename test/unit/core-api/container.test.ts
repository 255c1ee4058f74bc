import { expect, it } from "vitest";
import { emptyContainer } from "../../../src/core-api/container/from.ts";
import { editAt, expandArgument, locate, withMount, withoutMount } from "../../../src/core-api/container/tree.ts";
import { exportedConfig, imagePorts, mergeImageConfig, withEnv } from "../../../src/core-api/image/config.ts";
import { type Container, type Mount, type Tree } from "../../../src/core-api/values/values.ts";
import { edited, scratch } from "../../../src/core-api/values/rooted.ts";

const empty = emptyContainer("linux/amd64");
const tree: Tree = edited(scratch, { action: "mkdir", path: "/x", mode: 0o755 });
const mount = (target: string): Mount => ({
  target,
  readOnly: false,
  source: { kind: "directory", tree, path: "/part" },
});
const write = (container: Container, path: string): Container =>
  editAt(container, path, (base, inTree) => edited(base, { action: "write", path: inTree, contents: "", mode: 0o644 }));

it("finds a path in the innermost mount that covers it", () => {
  const container = withMount(withMount(empty, mount("/d")), mount("/d/in"));
  expect(locate(container, "/d/in/x")).toMatchObject({ path: "/part/x", mount: { target: "/d/in" } });
  expect(locate(container, "/d/other")).toMatchObject({ path: "/part/other", mount: { target: "/d" } });
  expect(locate(container, "/dd").mount).toBeUndefined();
});

it("lets a new mount hide those below it", () => {
  const container = withMount(withMount(empty, mount("/d/in")), mount("/d"));
  expect(container.mounts.map(({ target }) => target)).toEqual(["/d"]);
});

it("writes into the mount that covers the path, and leaves the root file system alone", () => {
  const container = write(withMount(empty, mount("/d")), "/d/f");
  expect(container.rootfs).toBe(scratch);
  expect(container.mounts[0]!.source).toMatchObject({ tree: { kind: "edit", edit: { path: "/part/f" } } });
});

it("takes a mount away that a file is written over", () => {
  const container = write(withMount(empty, mount("/d")), "/d");
  expect(container.mounts).toEqual([]);
  expect(container.rootfs).toMatchObject({ edit: { path: "/d" } });
});

it("removes a mount by its target only", () => {
  const container = withMount(empty, mount("/d"));
  expect(withoutMount(container, "/d/x").mounts).toHaveLength(1);
  expect(withoutMount(container, "/d").mounts).toHaveLength(0);
});

it("refuses to read a tmpfs or a cache", () => {
  const temporary: Mount = { target: "/t", readOnly: false, source: { kind: "tmpfs", sizeBytes: 0 } };
  expect(() => locate(withMount(empty, temporary), "/t/x")).toThrow("/t/x: cannot retrieve path from tmpfs");
});

it("does not expand secrets and volatile variables, whose values it must not know", () => {
  const secret = { type: "Secret", id: "s", name: "s", uri: "" } as const;
  const container: Container = { ...empty, secrets: [{ secret, envName: "S" }], volatileEnv: ["V=1"] };
  expect(() => expandArgument(container, "$S", true)).toThrow(/secret env variable "S"/);
  expect(() => expandArgument(container, "$V", true)).toThrow(/volatile env variable "V"/);
  expect(expandArgument(container, "$S", false)).toBe("$S");
});

it("replaces a variable in its place", () => {
  expect(withEnv(["A=1", "B=2"], "A", "3=4")).toEqual(["A=3=4", "B=2"]);
  expect(withEnv(["AB=1"], "A", "2")).toEqual(["AB=1", "A=2"]);
});

it("merges an image's configuration into the container's: variables and labels add up, the rest is replaced", () => {
  const merged = mergeImageConfig(
    { ...empty.config, Env: ["A=old", "MINE=1"], Labels: { a: "1" }, User: "me" },
    { architecture: "amd64", os: "linux", config: { Env: ["A=new"], Labels: { b: "2" }, Cmd: ["x"] } },
  );
  expect(merged).toMatchObject({ Env: ["A=new", "MINE=1"], Labels: { a: "1", b: "2" }, User: "", Cmd: ["x"] });
});

it("reads and writes exposed ports", () => {
  const ports = imagePorts([], {
    architecture: "amd64",
    os: "linux",
    config: { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "81/tcp": {} } },
  });
  expect(ports.map(({ port, protocol }) => `${port}/${protocol}`)).toEqual(["80/TCP", "53/UDP", "81/TCP"]);
  expect(exportedConfig({ ...empty, ports }).config?.ExposedPorts).toEqual({
    "80/tcp": {},
    "53/udp": {},
    "81/tcp": {},
  });
});
