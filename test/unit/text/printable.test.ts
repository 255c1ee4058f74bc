import { describe, expect, it } from "vitest";
import { outputText, printable, printableJson } from "../../../src/text/index.ts";

const esc = "\u001b";

describe("names on a terminal", () => {
  it("show each character that a terminal obeys as JSON writes it", () => {
    expect(printable(`a${esc}]0;title\u0007b`)).toBe("a\\u001b]0;title\\u0007b");
    expect(printable("one\ntwo\r\tthree")).toBe("one\\ntwo\\r\\tthree");
    expect(printable("\u009b2J\u007f")).toBe("\\u009b2J\\u007f");
  });

  it("do not turn the direction of what follows", () => {
    expect(printable("invoice\u202efdp.exe\u2066")).toBe("invoice\\u202efdp.exe\\u2066");
  });

  it("stay as they are otherwise, in any script", () => {
    expect(printable("src/größe/日本語 👩‍💻.ts")).toBe("src/größe/日本語 👩‍💻.ts");
  });

  it("keep JSON readable to programs, and harmless to terminals", () => {
    const value = { name: "a\u009b2J\u202e", lines: "x\ny" };
    expect(printableJson(value)).not.toMatch(/[\u0080-\u009f\u202e]/);
    expect(JSON.parse(printableJson(value, 2))).toEqual(value);
  });
});

describe("output of programs on a terminal", () => {
  it("keeps lines, tabs and colours", () => {
    const text = `\t${esc}[1;38:5:9mred${esc}[0m\nnext\n`;
    expect(outputText(text)).toBe(text);
  });

  it.each([
    ["a movement of the cursor", `a${esc}[2Ab`],
    ["clearing the screen", `a${esc}[2J${esc}[Hb`],
    ["a title", `a${esc}]0;title\u0007b`],
    ["a title that ends otherwise", `a${esc}]0;title${esc}\\b`],
    ["the clipboard", `a${esc}]52;c;aGk=\u0007b`],
    ["a link", `a${esc}]8;;http://x${esc}\\b`],
    ["a device's string", `a${esc}P$q${esc}\\b`],
    ["a question to the terminal", `a${esc}[6nb`],
    ["a reset", `a${esc}cb`],
    ["another alphabet", `a${esc}(0b`],
    ["one byte for two", `a\u009b2Jb`],
    ["one byte for a title", `a\u009d0;title\u009cb`],
    ["backspaces and bells", "a\b\u0007b"],
  ])("takes out %s", (_what, text) => {
    expect(outputText(text)).toBe("ab");
  });

  it("lets no carriage return overwrite what stands before it", () => {
    expect(outputText("real\rfake\r\nend")).toBe("real\nfake\nend");
  });

  it("lets nothing through that comes in pieces", () => {
    const whole = `a${esc}]0;title\u0007${esc}[2J${esc}[1;1Hb`;
    for (let at = 0; at <= whole.length; at++) {
      const shown = outputText(whole.slice(0, at)) + outputText(whole.slice(at));
      expect(shown).not.toContain(esc);
      expect(shown).not.toContain("\u0007");
    }
  });

  it("takes time in proportion to the text, whatever is in it", () => {
    for (const piece of [`${esc}]`, `${esc}[`, `${esc}P`, `${esc}[1;`, `${esc}[  `, "\r", "\u009d"]) {
      const startedMs = performance.now();
      outputText(piece.repeat(200_000));
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    }
  });
});
