import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { dayAndTime } from "../../../src/text/local-time.ts";

test("a time is told by the clock of the reader", () => {
  const before = process.env["TZ"];
  process.env["TZ"] = "Asia/Kolkata";
  try {
    expect(dayAndTime("2026-01-31T20:05:09.000Z")).toBe("2026-02-01 01:35:09");
    expect(dayAndTime("2026-01-31T20:05:09.000Z")).toBe(
      execFileSync("date", ["-d", "2026-01-31T20:05:09Z", "+%F %T"], { encoding: "utf8" }).trim(),
    );
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
  expect(dayAndTime("yesterday")).toBe("a time that is none");
});
