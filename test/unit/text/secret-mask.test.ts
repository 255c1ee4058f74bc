import { execFileSync } from "node:child_process";
import { assert, array, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { isTooShortToMask, SecretMask } from "../../../src/text/index.ts";

/** The text cut at every place into two pieces, and into single characters. */
function pieces(text: string): string[][] {
  const cuts = Array.from({ length: text.length + 1 }, (_, index) => [text.slice(0, index), text.slice(index)]);
  return [...cuts, text.split("")];
}

function streamed(secrets: string[], parts: string[]): string {
  const stream = new SecretMask(secrets).stream();
  return parts.map((part) => stream.push(part)).join("") + stream.end();
}

const masked = (text: string, ...secrets: string[]): string => new SecretMask(secrets).text(text);

describe("a masked text", () => {
  it("has every occurrence masked, trimmed ones too", () => {
    expect(masked("a secret\n and secret.", "secret\n")).toBe("a *** and ***.");
  });

  it("is as it was where there is no secret, or only white space", () => {
    expect(masked("text")).toBe("text");
    expect(masked("text", "", "  \n")).toBe("text");
  });

  it("keeps what has fewer than four characters, which is known as too short", () => {
    expect(masked("the eel", "e", "eel", "  ee \n")).toBe("the eel");
    expect(["e", "eel", " eel\n", "", "🙂🙂"].map(isTooShortToMask)).toEqual([true, true, true, true, true]);
    expect(["eels", "🙂🙂🙂🙂"].map(isTooShortToMask)).toEqual([false, false]);
  });

  it("has the whole of secrets masked that overlap or hold each other", () => {
    expect(masked("1abcab2abcabcab3", "abcab")).toBe("1***2***3");
    expect(masked("xx-inner-yy", "inner", "xx-inner-yy")).toBe("***");
    expect(masked("headtailrest", "headtail", "tailrest")).toBe("***");
  });

  it("has the beginning of a secret masked where the text was cut", () => {
    expect(masked("sh -c hunt… failed, hunt and hun…", "hunter2")).toBe("sh -c ***… failed, hunt and hun…");
  });

  it("has a secret masked that holds a `…` itself, whole or cut", () => {
    expect(masked("a pass…word1 b", "pass…word1")).toBe("a *** b");
    expect(masked("a pass…wo… b pass… c pass", "pass…word1")).toBe("a ***… b ***… c pass");
    expect(masked("…pass…word1…", "pass…word1")).toBe("…***…");
    expect(masked("hunt…er2 hunter2…hunt", "hunter2")).toBe("***…er2 ***…hunt");
  });

  it("has each line of a secret masked that has four characters or more", () => {
    expect(masked("2: line-two\n1: line-one\nab", "line-one\r\nab\n  line-two\n")).toBe("2: ***\n1: ***\nab");
  });
});

describe("a masked stream", () => {
  it("masks a secret wherever the stream is cut", () => {
    for (const parts of pieces("xx-hunter2-yy-hunter2")) expect(streamed(["hunter2"], parts)).toBe("xx-***-yy-***");
  });

  it("masks the longer of two secrets that begin alike", () => {
    for (const parts of pieces("tokentoken-long!")) expect(streamed(["token", "token-long"], parts)).toBe("******!");
  });

  it("holds back only what may begin a secret", () => {
    const stream = new SecretMask(["secret"]).stream();
    expect(stream.push("plain text se")).toBe("plain text ");
    expect(stream.push("ven")).toBe("seven");
  });

  it("masks what is added after it was opened, also in what it holds back", () => {
    const mask = new SecretMask();
    const stream = mask.stream();
    expect(stream.push("before ")).toBe("before ");
    mask.add("hunter2");
    expect(stream.push("hunter2 hunt")).toBe("*** ");
    mask.add("token-1");
    // What begins another secret by now, and one that was held back as the beginning of a longer one.
    expect(stream.push("er2 token-1 hunte")).toBe("*** *** ");
    mask.add("hunt");
    expect(stream.end()).toBe("***e");
  });

  it("gives the same however it is cut, and never one of the secrets", () => {
    const piece = constantFrom("ab", "ba", "aab", "c", "abcab", "bcabc");
    assert(
      property(
        array(string({ unit: piece, minLength: 2, maxLength: 4 }), { maxLength: 5 }),
        array(piece),
        (secrets, parts) => {
          const long = secrets.filter((secret) => !isTooShortToMask(secret));
          const text = parts.join("");
          const whole = masked(text, ...long);
          expect(streamed(long, parts)).toBe(whole);
          expect(streamed(long, text.split(""))).toBe(whole);
          for (const secret of long) expect(whole).not.toContain(secret);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("what tools make of a secret is masked:", () => {
  const secret = 's3cr&t "quo\'ted" <v>/+?ü~ \\ 9f3b71c2';
  const two = "-----BEGIN KEY-----\nlineone5f0a\nlinetwo77bc\n-----END KEY-----\n";
  const long = "0123456789abcdef/".repeat(20);
  const sh = (script: string, text: string): string =>
    execFileSync("sh", ["-c", script], { env: { ...process.env, T: text }, encoding: "utf8" });
  const node = (expression: string, text: string): string =>
    execFileSync(process.execPath, ["-p", expression], { env: { ...process.env, T: text }, encoding: "utf8" });
  /** What is left of it when masks and what is around it are taken away. */
  const left = (text: string, of: string): string => masked(text, of).replaceAll("***", "").replaceAll("\n", "");

  it.each([secret, two, long])("base64, also broken into lines: %j", (text) => {
    expect(left(sh('printf %s "$T" | base64 -w0', text), text)).toBe("");
    // A last line of less than four characters.
    expect(left(sh('printf %s "$T" | base64', text), text)).toMatch(/^.{0,3}$/);
    expect(left(sh('printf %s "$T" | base64 -w64', text), text)).toMatch(/^.{0,3}$/);
    expect(left(sh('printf %s "$T" | base64 -w0 | tr +/ -_ | tr -d =', text), text)).toBe("");
  });

  it.each([0, 1, 2, 3, 4, 5])("base64 with %i bytes before it and others behind it", (before) => {
    for (const after of ["", "x", "xy", "xyz"]) {
      const encoded = Buffer.from(`${"u:p".repeat(2).slice(0, before)}${secret}${after}`).toString("base64");
      // At both ends a character holds bits of the neighbour's.
      expect(masked(`[${encoded}]`, secret)).toMatch(/^\[[\w+/]{0,7}\*\*\*[\w+/]{0,5}={0,2}\]$/);
    }
  });

  it.each([secret, two])("hexadecimal, URLs, forms, JSON, shells: %j", (text) => {
    expect(left(sh('printf %s "$T" | od -An -v -tx1 | tr -d " \\n"', text), text)).toBe("");
    expect(left(node("encodeURIComponent(process.env.T)", text), text)).toBe("");
    expect(
      left(node("encodeURIComponent(process.env.T).replace(/%../g, (code) => code.toLowerCase())", text), text),
    ).toBe("");
    expect(left(node("new URLSearchParams([['', process.env.T]]).toString().slice(1)", text), text)).toBe("");
    expect(left(node("JSON.stringify(process.env.T).slice(1, -1)", text), text)).toBe("");
    expect(masked(sh('printf "%s\\n" "$T" | sed "s/\'/\'\\\\\\\\\'\'/g"', text), text)).not.toMatch(/9f3b71c2|lineone/);
  });

  it("JSON as Python and Go write it, XML", () => {
    expect(masked('{"T": "s3cr&t \\"quo\'ted\\" <v>/+?\\u00fc~ \\\\ 9f3b71c2"}', secret)).toBe('{"T": "***"}');
    expect(masked('"s3cr\\u0026t \\"quo\'ted\\" \\u003cv\\u003e/+?ü~ \\\\ 9f3b71c2"', secret)).toBe('"***"');
    expect(masked("<e>s3cr&amp;t &quot;quo&apos;ted&quot; &lt;v&gt;/+?ü~ \\ 9f3b71c2</e>", secret)).toBe("<e>***</e>");
  });
});

describe("many and large secrets", () => {
  it("are masked in one pass over the text, however they are", () => {
    const secrets = Array.from({ length: 2000 }, (_, index) => `secret-number-${index}-${"x".repeat(30)}`);
    const mask = new SecretMask(secrets);
    const text = `${secrets.join(" ")} plain`;
    expect(mask.text(text)).toBe(`${secrets.map(() => "***").join(" ")} plain`);
    expect(mask.text("a".repeat(1_000_000))).toHaveLength(1_000_000);
  });

  it("are masked by their lines where they are large", () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} of a large secret`);
    expect(masked(`- ${lines[7]} -\n${lines[19_999]}`, lines.join("\n"))).toBe("- *** -\n***");
  });
});

it("a secret is in a text also where it is too short to be masked, or encoded", () => {
  const mask = new SecretMask(["abc", "hunter2!"]);
  expect(["x abc x", "aHVudGVyMiE=", "hunter2!"].map((text) => mask.isIn(text))).toEqual([true, true, true]);
  expect(mask.isIn({ a: ["hunter2!"] })).toBe(true);
  expect(mask.isIn("hunter")).toBe(false);
});

it("a value has its texts masked, the names of fields, and numbers that are a secret", () => {
  const mask = new SecretMask(["hunter2", "12345678", "pass…word1"]);
  const value = { "x hunter2": [{ hunter2: "hunter2" }], a: [12345678, 123456789, 1, true, null], b: "pass…word1" };
  expect(mask.value(value)).toEqual({
    "x ***": [{ "***": "***" }],
    a: ["***", 123456789, 1, true, null],
    b: "***",
  });
});

it("a secret is in what would be told otherwise, wherever it stands", () => {
  const mask = new SecretMask(["hunter2", "12345678", "pass…word1", '"a":["b']);
  const values = [{ hunter2: 1 }, { a: 12345678 }, 12345678, [["pass…word1"]], "hunter2…", { a: ["b"] }, "x12345678"];
  expect(values.map((value) => mask.isIn(value))).toEqual(values.map(() => true));
  expect([{ a: 1234567 }, undefined, null, "pass…", {}].map((value) => mask.isIn(value))).toEqual([
    false,
    false,
    false,
    true,
    false,
  ]);
});
