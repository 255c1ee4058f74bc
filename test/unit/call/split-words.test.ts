import { expect, test } from "vitest";
import { splitWords } from "../../../src/call/index.ts";

test.each([
  ["test --source . --tier fast", ["test", "--source", ".", "--tier", "fast"]],
  ["  spaced   out  ", ["spaced", "out"]],
  [`say "two words" 'and three words'`, ["say", "two words", "and three words"]],
  [`--a="b c" d\\ e "q\\"q"`, ["--a=b c", "d e", 'q"q']],
  ["line\nbreaks\tcount", ["line", "breaks", "count"]],
  ["", []],
])("%j is split as a shell would", (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test.each(["test 'open", 'test "open', 'a "b" "c', "a b\\"])("%j has a quote that is not closed", (text) => {
  expect(splitWords(text)).toBeUndefined();
});
