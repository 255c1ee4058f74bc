import { describe, expect, it } from "vitest";
import { JsonSyntaxError, lineAndColumn, parsePlacedJson } from "../../../src/module/manifest/json-places.ts";

const placesOf = (text: string): Record<string, string> =>
  Object.fromEntries([...parsePlacedJson(text).offsets].map(([key, at]) => [key, lineAndColumn(text, at)]));

describe("JSON with places", () => {
  it("knows where each value begins", () => {
    const text = '{\n  "a": "x",\n  "b": [1, {"c\\"d": null}, "]"],\n  "e": -1.5e3, "f":{"a":true}}';
    expect(placesOf(text)).toEqual({
      "": "1:1",
      a: "2:8",
      b: "3:8",
      "b.0": "3:9",
      "b.1": "3:12",
      'b.1.c"d': "3:21",
      "b.2": "3:28",
      e: "4:8",
      f: "4:20",
      "f.a": "4:25",
    });
    expect(placesOf(' "only"')).toEqual({ "": "1:2" });
  });

  it.each([
    ['{"a": }', 6],
    ['{"a": 1', 7],
    ['{"a": "x', 8],
    ["", 0],
    ['{"a": tru}', 5],
  ])("knows where %j stops being JSON", (text, offset) => {
    const failed = (): unknown => parsePlacedJson(text);
    expect(failed).toThrow(JsonSyntaxError);
    try {
      failed();
    } catch (error) {
      expect(Math.abs((error as JsonSyntaxError).offset - offset)).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ["many values", `{"a":[${'{"b":"c"},'.repeat(200_000)}`],
    ["one long text", `{"a":"${"\\\\".repeat(1_000_000)}`],
    ["many brackets", "[".repeat(2_000_000)],
  ])("tells of 2 MB of %s in seconds of CPU time, coverage counted", (_what, text) => {
    const before = process.cpuUsage();
    expect(() => parsePlacedJson(text)).toThrow(JsonSyntaxError);
    expect(process.cpuUsage(before).user).toBeLessThan(4_000_000);
  });
});
