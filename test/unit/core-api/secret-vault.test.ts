import { expect, it } from "vitest";
import { SecretVault } from "../../../src/core-api/secret/vault.ts";

const notices: string[] = [];
const vaultOf = (env: Record<string, string> = {}): SecretVault =>
  new SecretVault({ env, workdir: "/" }, (text) => notices.push(text));
const secretOf = (uri: string) => ({ type: "Secret" as const, id: "", name: "", uri });

it("a variable's secret is one of the client's, not what every object has", async () => {
  const vault = vaultOf({ TOKEN: "t" });
  expect((await vault.resolve(secretOf("env://TOKEN"))).plaintext.toString()).toBe("t");
  for (const name of ["constructor", "__proto__", "toString"]) {
    await expect(vault.resolve(secretOf(`env://${name}`))).rejects.toThrow("secret env var not found");
  }
});

it("what was set and what was read is masked in what is told", async () => {
  const vault = vaultOf({ TOKEN: "from-env" });
  await vault.set("a", "set-text");
  await vault.resolve(secretOf("env://TOKEN"));
  expect(vault.mask.text("set-text from-env c2V0LXRleHQ=")).toBe("*** *** ***");
});

it("a secret that is too short to mask is told once, by its name", async () => {
  const vault = vaultOf();
  notices.length = 0;
  for (const text of ["abc", "abc", "abcd", " \n"]) await vault.set(`env://TOK#${"0".repeat(16)}`, text);
  expect(notices).toEqual([
    "the secret env://TOK has fewer than four characters: too short to mask in what is printed",
  ]);
});

it("the secrets of a session have a limit in all, and one may be set again", async () => {
  const vault = vaultOf();
  const large = "x".repeat(1024 * 1024);
  await vault.set("a", large);
  await vault.set("b", large);
  await expect(vault.set("c", "more")).rejects.toThrow("the secrets of a session may have 1048576 characters in all");
});

it("commands that run at the same time have their own values of a volatile variable, and equal ones share it", () => {
  const vault = vaultOf();
  const [one, other] = [vault.setVolatile("V", "1", "a"), vault.setVolatile("V", "2", "b")];
  expect([one, other].map((id) => vault.get(id)?.toString())).toEqual(["1", "2"]);
  expect(vault.setVolatile("V", "3", "a")).toBe(one);
  expect(vault.get(one)?.toString()).toBe("3");
});
