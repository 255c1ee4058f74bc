import { expect, test } from "vitest";
import { resolveSuite } from "../../../src/config/presets.ts";

test("a preset fills what a suite leaves out", () => {
  expect(resolveSuite({ preset: "npm", tiers: { smoke: "npm test" } })).toMatchObject({
    image: "node:22-bookworm-slim",
    workdir: "/app",
    cwd: "/app",
    manifests: ["**/package.json", "package-lock.json", ".npmrc"],
    install: ["npm ci"],
    installed: ["node_modules"],
    caches: { npm: "/root/.npm" },
    sources: ["./"],
    tiers: { smoke: { run: ["npm test"], services: [], env: {} } },
  });
});

test("the suite's own keys win over the preset's, caches and environment are joined", () => {
  const suite = resolveSuite({
    preset: "pip",
    image: "python:3.12",
    cwd: "worker/",
    install: "make venv",
    caches: { wheels: "/wheels" },
    env: { PATH: "/bin" },
    tiers: {},
  });
  expect(suite).toMatchObject({ image: "python:3.12", cwd: "/app/worker", install: ["make venv"] });
  expect(suite.caches).toEqual({ pip: "/root/.cache/pip", wheels: "/wheels" });
  expect(suite.env).toEqual({ VIRTUAL_ENV: "/opt/venv", PATH: "/bin" });
});
