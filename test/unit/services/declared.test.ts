import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { declaredServices, selectServices } from "../../../src/services/index.ts";
import { withDependents } from "../../../src/services/sources/declared.ts";

const services = {
  db: { preset: "postgres" },
  api: { image: "x", needs: ["db"], ports: ["3000:80", 9229], health: "/ok" },
  web: { image: "x", needs: ["api"], health: { http: "/", timeout: "5s" } },
  mail: { image: "x" },
};

function loaded(config: object) {
  const { config: parsed, problems } = parseConfig(JSON.stringify({ version: 1, ...config }));
  if (parsed === undefined) throw new Error(JSON.stringify(problems));
  return { config: parsed, root: "/p", path: "/p/fastloop.yaml", digest: "" };
}

const problemsOf = (config: object): string[] =>
  parseConfig(JSON.stringify({ version: 1, ...config })).problems.map(({ path, message }) => `${path}: ${message}`);

describe("the services of a project", () => {
  const declared = declaredServices(loaded({ services, up: { web: { ports: 8080 } } }), undefined);

  it("have ports, health and needs as they are described", () => {
    expect(declared.find(({ name }) => name === "api")).toMatchObject({
      needs: ["db"],
      ports: [
        { host: 3000, container: 80 },
        { host: 9229, container: 9229 },
      ],
      health: { path: "/ok", timeoutMs: 120_000 },
    });
    expect(declared.find(({ name }) => name === "web")).toMatchObject({
      ports: [{ host: 8080, container: 8080 }],
      health: { path: "/", timeoutMs: 5_000 },
    });
    expect(declared.find(({ name }) => name === "db")?.ports).toBeUndefined();
  });

  it("are taken with all that they need, which comes first", () => {
    expect(selectServices(declared, ["web"]).map(({ name }) => name)).toEqual(["db", "api", "web"]);
    expect(selectServices(declared, []).map(({ name }) => name)).toEqual(["db", "api", "web", "mail"]);
  });

  it("tell a name that nobody has, and what was meant", () => {
    expect(() => selectServices(declared, ["wep"])).toThrow("there is no service `wep`");
    expect(() => declaredServices(loaded({ services, up: { wep: {} } }), undefined)).toThrow(
      "there is no service `wep`",
    );
    expect(() => selectServices([], [])).toThrow("there are no services");
  });

  it("are restarted with those that need them", () => {
    expect(withDependents(declared, ["db"]).map(({ name }) => name)).toEqual(["db", "api", "web"]);
    expect(withDependents(declared, ["web"]).map(({ name }) => name)).toEqual(["web"]);
  });
});

describe("a configuration of services", () => {
  it.each([
    [{ a: {} }, "service `a` has nothing to run"],
    [{ a: { image: "x", build: "y" } }, "service `a` has `image` already"],
    [{ a: { image: "x", needs: ["b"] } }, "unknown service `b`"],
    [{ a: { image: "x", needs: ["b"] }, b: { image: "x", needs: ["a"] } }, "in a circle: a -> b -> a"],
    [{ a: { image: "x", ports: 80 }, b: { image: "x", ports: "80:90" } }, "port 80 is that of `a` already"],
    [{ a: { image: "x", ports: 70_000 } }, "services.a.ports"],
    [{ a: { image: "x", ports: "1:99999" } }, "services.a.ports"],
    [{ a: { image: "dev" } }, "there is no `images.dev`"],
    [{ a: { function: "x", env: { A: "b" } } }, "`env` does not go with `function`"],
    [{ a: { build: "../x" } }, "services.a.build"],
    [{ a: { image: "x", volumes: { "a/b": "/x" } } }, "services.a.volumes"],
    [{ a: { preset: "redis", migrations: { folder: "m" } } }, "`run` is missing"],
  ])("is refused: %j", (described, message) => {
    expect(problemsOf({ services: described }).join("\n")).toContain(message);
  });
});
