import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { refuse, refuseOptionsAsValues } from "../../../src/cli/options/option-values.ts";

const options = [
  new Option("--since <ref>"),
  new Option("-n, --lines <number>"),
  new Option("--json"),
  new Option("-v, --verbose"),
];

test("an option in the place of another one's value is refused, and the way to mean it is told", () => {
  expect(() => refuse(["affected", "--since", "--json"], options, false)).toThrow(
    expect.objectContaining({
      exitCode: 2,
      place: "--since",
      hint: "--json is an option; --since=--json if that is the value",
    }),
  );
  expect(() => refuse(["-n", "-v"], options, false)).toThrow(
    expect.objectContaining({ place: "-n", hint: expect.stringContaining("-n-v") }),
  );
});

test("values, attached values, switches and what follows `--` are left alone", () => {
  for (const words of [
    ["--since", "main", "--json"],
    ["--since=--json"],
    ["--json", "--verbose"],
    ["-n", "-5"],
    ["--since", "-"],
    ["--", "--since", "--json"],
  ]) {
    expect(() => refuse(words, options, false)).not.toThrow();
  }
  // Another program's words.
  expect(() => refuse(["git", "--since", "--json"], options, true)).not.toThrow();
});

test("commander asks before it parses", () => {
  const command = new Command("affected").addOption(options[0]!).addOption(options[2]!).exitOverride();
  refuseOptionsAsValues(command, false);
  expect(() => command.parse(["--since", "--json"], { from: "user" })).toThrow("a value is missing");
  expect(command.parse(["--since", "main", "--json"], { from: "user" }).opts()).toEqual({ since: "main", json: true });
});
