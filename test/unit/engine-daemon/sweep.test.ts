import { expect, it } from "vitest";
import { mountsOf, parseMounts } from "../../../src/engine-daemon/buildkitd/sweep.ts";

it("reads mounts of folders whose names have blanks in them", () => {
  const text = String.raw`31 1 0:29 / / rw - overlay overlay rw,lowerdir=/home/a\040user/state/buildkit/snapshots/1/fs
32 31 0:30 / /home/a\040user/state/buildkit/x\134y rw - tmpfs tmpfs rw`;
  const [root, other] = parseMounts(text);
  expect(root?.point).toBe("/");
  expect(root?.line).toContain("/home/a user/state/buildkit/");
  expect(other?.point).toBe("/home/a user/state/buildkit/x\\y");
});

it("takes down what is mounted below the folder, the deepest first, and what buildkitd was working on", () => {
  const text = `1 0 0:1 / / rw - overlay overlay rw
2 1 0:2 / /state/buildkit/a rw - overlay overlay rw
3 1 0:3 / /state/buildkit/a/b/proc rw - proc proc rw
4 1 0:4 / /state/buildkit-other/a rw - tmpfs tmpfs rw
5 1 0:5 / /tmp/buildkit-mount12 rw - overlay overlay rw,lowerdir=/state/buildkit/snapshots/3/fs
6 1 0:6 / /tmp/buildkit-mount34 rw - overlay overlay rw,lowerdir=/elsewhere/buildkit/snapshots/3/fs`;
  expect(mountsOf("/state/buildkit", parseMounts(text))).toEqual([
    "/state/buildkit/a/b/proc",
    "/tmp/buildkit-mount12",
    "/state/buildkit/a",
  ]);
});
