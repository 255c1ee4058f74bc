import { expect, test } from "vitest";
import type { BuildkitClient } from "../../../src/buildkit/types.ts";
import { diskOf } from "../../../src/engine-daemon/control/disk.ts";

const record = (recordType: string, description: string, sizeBytes: number) => ({
  recordType,
  description,
  sizeBytes,
  inUse: false,
  lastUsedMs: 0,
});
const node = "docker.io/library/node:22@sha256:62";

test("layers of an image are told as one, and volumes by their project, name and place", async () => {
  const records = [
    record("regular", `pulled from ${node}`, 10),
    record("regular", `pulled from ${node}`, 5),
    record("regular", "mount / from exec npm ci", 3),
    record(
      "exec.cachemount",
      'cached mount /root/.npm from exec sh -ec npm ci\nnpm run build with id "fastloop-cache-ac11:fastloop-npm"',
      7,
    ),
  ];
  const client = { diskUsage: () => Promise.resolve({ totalBytes: 25, reclaimableBytes: 25, records }) };
  expect(await diskOf(client as unknown as BuildkitClient)).toEqual({
    kinds: {
      regular: { bytes: 18, reclaimableBytes: 18, records: 3 },
      "exec.cachemount": { bytes: 7, reclaimableBytes: 7, records: 1 },
    },
    images: [{ name: node, bytes: 15 }],
    volumes: [{ project: "ac11", name: "fastloop-npm", path: "/root/.npm", bytes: 7 }],
  });
});
