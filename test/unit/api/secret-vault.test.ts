import { expect, it } from "vitest";
import { SecretVault } from "../../../src/engine/embedded/api/secret-vault.ts";

const secretOf = (uri: string) => ({ type: "Secret" as const, id: "", name: "", uri });

it("a variable's secret is one of the client's, not what every object has", async () => {
  const vault = new SecretVault({ TOKEN: "t" }, "/");
  expect((await vault.resolve(secretOf("env://TOKEN"))).plaintext.toString()).toBe("t");
  for (const name of ["constructor", "__proto__", "toString"]) {
    await expect(vault.resolve(secretOf(`env://${name}`))).rejects.toThrow("secret env var not found");
  }
});

it("names what a Dockerfile's commands may print", async () => {
  const vault = new SecretVault({}, "/");
  const { id } = await vault.set("TOKEN", "plain");
  expect(vault.aliased()).toEqual([]);
  vault.alias("TOKEN", id);
  expect(vault.aliased()).toEqual(["plain"]);
});
