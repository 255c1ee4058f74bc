import { expect, test } from "vitest";
import { UnappliedSettings } from "../../../src/run/advice/unapplied-settings.ts";

test("a setting that a running watch can't take over is named, any other is not, and what is put back is fine", () => {
  const settings = new UnappliedSettings({
    version: 1,
    engine: { use: "embedded", jobs: 2 },
    watch: { debounce: "50ms" },
  });
  const names = (config: Parameters<UnappliedSettings["texts"]>[0]): string[] =>
    settings.texts(config).map((text) => text.split(" ")[0]!);
  expect(
    names({ version: 1, engine: { use: "auto", idle: "5m", jobs: 2 }, watch: { debounce: "50ms", poll: true } }),
  ).toEqual(["engine.use", "engine.idle", "watch.poll"]);
  expect(
    names({ version: 1, engine: { use: "embedded", jobs: 3 }, watch: { debounce: "50ms", ignore: ["x"] } }),
  ).toEqual([]);
});
