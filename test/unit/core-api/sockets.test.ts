import { PassThrough, type Duplex } from "node:stream";
import { expect, it } from "vitest";
import { SocketTable } from "../../../src/core-api/socket/table.ts";

const open = (): Promise<Duplex> => Promise.resolve(new PassThrough());

it("an id that two services lead to the same port stays when one of them ends", async () => {
  const table = new SocketTable();
  const withdrawFirst = table.serve("port", open);
  const withdrawSecond = table.serve("port", () => open());
  withdrawFirst();
  withdrawFirst();
  expect(await table.open("port")).toBeDefined();
  withdrawSecond();
  expect(table.has("port")).toBe(false);
  expect(await table.open("port")).toBeUndefined();
});
