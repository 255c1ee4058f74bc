import { expect, it } from "vitest";
import { scrub, StreamScrubber } from "../../../src/engine/embedded/api/scrub.ts";

/** The text cut at every place into two pieces, and into single characters. */
function pieces(text: string): string[][] {
  const cuts = Array.from({ length: text.length + 1 }, (_, index) => [text.slice(0, index), text.slice(index)]);
  return [...cuts, text.split("")];
}

function streamed(secrets: string[], parts: string[]): string {
  const scrubber = new StreamScrubber(secrets);
  return parts.map((part) => scrubber.push(part)).join("") + scrubber.end();
}

it("masks every occurrence, trimmed ones too, the longest first", () => {
  expect(scrub("a secret\n and secret.", ["secret\n", "sec"])).toBe("a *** and ***.");
});

it("masks nothing for empty secrets", () => {
  expect(scrub("text", ["", "  \n"])).toBe("text");
});

it("masks a secret wherever the stream is cut", () => {
  for (const parts of pieces("xx-hunter2-yy-hunter2")) expect(streamed(["hunter2"], parts)).toBe("xx-***-yy-***");
});

it("masks a secret whose end is also its beginning", () => {
  for (const parts of pieces("1abcab2abcabcab")) expect(streamed(["abcab"], parts)).toBe("1***2***cab");
});

it("masks the longer of two secrets that begin alike", () => {
  for (const parts of pieces("tokentoken-long!")) expect(streamed(["token", "token-long"], parts)).toBe("******!");
});

it("holds back only what may begin a secret", () => {
  const scrubber = new StreamScrubber(["secret"]);
  expect(scrubber.push("plain text se")).toBe("plain text ");
  expect(scrubber.push("ven")).toBe("seven");
});
