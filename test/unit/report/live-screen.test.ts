import { expect, test } from "vitest";
import { LiveScreen } from "../../../src/report/terminal/live-screen.ts";
import { columnsOf, cut, printableText, type StyledLine } from "../../../src/report/terminal/styled-line.ts";
import { painter } from "../../../src/report/index.ts";
import { seeded } from "../tree/fixture.ts";
import { TerminalModel } from "./terminal-model.ts";

const lines = (...texts: string[]): StyledLine[] => texts.map((text) => [{ text, style: "bold" }]);

test("what is drawn replaces what was drawn before, what is printed stays above", () => {
  const terminal = new TerminalModel(40, 10);
  const screen = new LiveScreen(terminal, painter(true));
  screen.draw(lines("one", "two", "three"));
  screen.print("first");
  screen.draw(lines("1", "2"));
  screen.print("second\n  and more");
  screen.draw(lines("A longer one", "B", "C", "D"));
  expect(terminal.screen).toEqual(["first", "second", "  and more", "A longer one", "B", "C", "D"]);
});

test("an equal frame writes nothing", () => {
  let writes = 0;
  const screen = new LiveScreen({ columns: 80, rows: 24, write: () => writes++ }, painter(false));
  screen.draw(lines("same"));
  screen.draw(lines("same"));
  expect(writes).toBe(1);
});

test("closing leaves the last frame, shows the cursor and ends below", () => {
  const terminal = new TerminalModel(40, 10);
  const screen = new LiveScreen(terminal, painter(false));
  screen.draw(lines("one", "two"));
  expect(terminal.isCursorVisible).toBe(false);
  screen.print("said last");
  screen.close();
  terminal.write("$ ");
  expect(terminal.isCursorVisible).toBe(true);
  expect(terminal.screen).toEqual(["said last", "one", "two", "$"]);
});

test("random frames and prints leave the newest frame at the end and every print above it", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const terminal = new TerminalModel(30, 8);
    const screen = new LiveScreen(terminal, painter(false));
    const printed: string[] = [];
    for (let step = 0; step < 40; step++) {
      for (let count = random(3); count > 0; count--) {
        printed.push(`print ${printed.length}`);
        screen.print(printed.at(-1)!);
      }
      const frame = Array.from({ length: 1 + random(6) }, (_, index) => `${seed}.${step}.${index}`);
      screen.draw(lines(...frame));
      expect(terminal.screen.slice(-frame.length), `seed ${seed} step ${step}`).toEqual(frame);
      expect(terminal.everything.split("\n").filter((line) => line.startsWith("print"))).toEqual(printed);
    }
  }
});

test("a line is cut to columns, not characters, and says that it was", () => {
  const text = (line: StyledLine): string => line.map((piece) => piece.text).join("");
  expect(text(cut([{ text: "abc" }, { text: "defgh" }], 6))).toBe("abcde…");
  expect(text(cut([{ text: "日本語です" }], 7))).toBe("日本語…");
  expect(columnsOf("日本語")).toBe(6);
  expect(text(cut([{ text: "fits" }], 4))).toBe("fits");
});

test("output of programs loses what would move the cursor", () => {
  expect(printableText("\u001b[2J\u001b[31mred\u001b[0m\ta\rb\u0007")).toBe("red  ab");
});
