import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { decide, rulesOf } from "../../../src/services/index.ts";

const text = JSON.stringify({
  version: 1,
  services: {
    api: {
      image: "x",
      layers: [{ name: "deps", files: ["package.json"], run: "npm ci" }],
      sources: ["src/", "package.json"],
      workdir: "/srv",
    },
    web: { build: "web" },
    part: {
      build: "parts",
      mounts: { "parts/one/": "/one", "parts/x.txt": "/etc/x" },
    },
  },
  up: {
    api: {
      sync: [
        { from: "config/", to: "/etc/app", exclude: ["*.md"] },
        { from: "one.txt", to: "/two.txt" },
      ],
      run: [{ on: ["config/*.sql"], do: "migrate" }],
      restart: ["config/*.env"],
      rebuild: ["src/native/"],
    },
    job: { sync: [{ from: "job/", to: "/job" }] },
  },
});
const { config } = parseConfig(text);
const rules = (name: string, inputs?: string[]) => rulesOf(name, { config: config!, root: "/nowhere" }, inputs);

describe("an edit of what is mounted", () => {
  it.each([
    ["parts/one/a/b.go", { action: "sync", place: { root: "/one", path: "a/b.go" }, rule: "services.part.mounts[0]" }],
    ["parts/x.txt", { action: "sync", place: { root: "/etc/x", path: "" }, rule: "services.part.mounts[1]" }],
    ["parts/oneself/a.go", { action: "rebuild", rule: "services.part.build" }],
    ["a/b.go", { action: "none" }],
  ])("%s", (file, expected) => expect(decide(rules("part"), file)).toMatchObject(expected));
});

describe("an edit", () => {
  it.each([
    ["src/a/b.ts", { action: "sync", place: { root: "/srv", path: "src/a/b.ts" }, rule: "services.api.sources" }],
    ["package.json", { action: "rebuild", rule: "services.api.layers: deps" }],
    ["src/native/x.c", { action: "rebuild", rule: "up.api.rebuild" }],
    ["config/a/b.txt", { action: "sync", place: { root: "/etc/app", path: "a/b.txt" }, rule: "up.api.sync[0]" }],
    ["config/x.md", { action: "none" }],
    ["config/x.sql", { action: "sync", commands: ["migrate"] }],
    ["config/x.env", { action: "restart", place: { root: "/etc/app", path: "x.env" }, rule: "up.api.restart" }],
    ["one.txt", { action: "sync", place: { root: "/two.txt", path: "" } }],
    ["README.md", { action: "none", commands: [] }],
  ])("of %s is decided by its path", (file, wanted) => {
    expect(decide(rules("api"), file)).toMatchObject(wanted);
  });

  it("of a Dockerfile's context makes another container", () => {
    expect(decide(rules("web"), "web/src/x")).toMatchObject({ action: "rebuild", rule: "services.web.build" });
    expect(decide(rules("web"), "website/x")).toMatchObject({ action: "none" });
  });

  it("of what a function is given makes another container, unless it is said where it goes", () => {
    expect(decide(rules("job", ["", "lib"]), "a.txt")).toMatchObject({ action: "rebuild" });
    expect(decide(rules("job", [""]), "job/a.txt")).toMatchObject({
      action: "sync",
      place: { root: "/job", path: "a.txt" },
    });
    expect(decide(rules("job", ["lib"]), "a.txt")).toMatchObject({ action: "none" });
  });
});
