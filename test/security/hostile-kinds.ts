/** What may lie in the place of a file that a command reads: none of it is a file of the kind that is meant. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import process from "node:process";

const letters = "abcdefghij".split("");
const yamlBomb = [
  "a: &a [x, x, x, x, x, x, x, x, x]",
  ...letters.slice(1).map((letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${letters[index]}`).join()}]`),
].join("\n");
const text =
  (content: string | Buffer): ((file: string) => void) =>
  (file) =>
    writeFileSync(file, content);

type Lay = (file: string) => void | Promise<void>;

/** What is no file, or none that anybody reads whole. */
export const noFiles: Record<string, Lay> = {
  "a pipe": (file) => void execFileSync("mkfifo", [file]),
  "a socket": (file) => listening(file),
  "a folder": (file) => {
    mkdirSync(file);
  },
  "eight gigabytes": (file) => {
    writeFileSync(file, "");
    truncateSync(file, 8e9);
  },
  "a link to itself": (file) => symlinkSync(path.basename(file), file),
  "a link to a device without an end": (file) => symlinkSync("/dev/zero", file),
  ...(process.getuid?.() === 0 && { "a device": (file: string) => void execFileSync("mknod", [file, "c", "1", "5"]) }),
};

/** Files, with what makes a parser slow, deep, or say what it should not. */
export const contents: Record<string, Lay> = {
  "a bomb of aliases": text(yamlBomb),
  "a JSON object of 150,000 keys": text(`{${Array.from({ length: 150_000 }, (_, index) => `"k${index}":1`).join()}}`),
  "200,000 brackets": text("[".repeat(200_000)),
  "100,000 objects in each other": text(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`),
  "100,000 dashes": text("- ".repeat(100_000)),
  "control characters": text("\0\x1b[2J\x07a\0: \x1b]0;title\x07\r\n\x1b[31mred: [\x1b]52;c;eA==\x07]\n"),
  "no UTF-8": text(Buffer.from([0xff, 0xfe, 0x61, 0x3a, 0xc3, 0x28, 0xed, 0xa0, 0x80, 10])),
  "names of prototypes": text(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}},"name":"__proto__","version":1,' +
      '"scripts":{"__proto__":"x","toString":"y"},"services":{"__proto__":{"image":"a"},"toString":{"image":"b"}}}',
  ),
  "a line of three megabytes": text("a".repeat(3e6)),
  stars: text(`${"*a".repeat(2000)}\n`.repeat(200)),
  nothing: text(""),
};

/** Left behind when the process that listened is gone: a name that can't be opened. */
async function listening(file: string): Promise<void> {
  const folder = process.cwd();
  const server = net.createServer();
  // A socket's name is short.
  process.chdir(path.dirname(file));
  try {
    await new Promise<void>((resolve) => server.listen(path.basename(file), resolve));
  } finally {
    process.chdir(folder);
  }
  server.unref();
}
