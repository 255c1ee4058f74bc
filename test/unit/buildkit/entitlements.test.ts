import { describe, expect, it } from "vitest";
import { entitlementsOf } from "../../../src/buildkit/gateway/entitlements.ts";
import { definition, exec, file, scratch } from "../../../src/llb/index.ts";

const run = (rights: { insecure?: boolean; network?: "host" }, args = ["true"]) =>
  exec({ root: scratch, args, ...rights }).root;

describe("the rights that a build asks for", () => {
  it("are none where no command needs one", () => {
    expect(entitlementsOf([definition(run({}))])).toEqual([]);
  });

  it("are those of its commands, wherever they are in the graph", () => {
    const both = exec({ root: run({ insecure: true }), args: ["true"], network: "host" }).root;
    expect(entitlementsOf([definition(both)])).toEqual(["network.host", "security.insecure"]);
  });

  it("do not come from bytes that only look like them", () => {
    const written = file(scratch, [{ kind: "mkfile", path: "/x", content: "\u0018\u0001\u0020\u0001", mode: 0o644 }]);
    expect(entitlementsOf([definition(written), definition(run({}, ["\u0020\u0001"]))])).toEqual([]);
  });
});
