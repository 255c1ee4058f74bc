import { describe, expect, test } from "vitest";
import { composeServices } from "../../../src/services/index.ts";

const files: Record<string, string> = {
  ".env": "TAG=16\nEMPTY=\nexport QUOTED='a b' # said\n",
  "later.env": "LEVEL=debug\n",
  "api.env": "# of the api\nLEVEL=info\nMODE=file\n",
};
const converted = (text: string, folder = "") =>
  composeServices(text, {
    folder,
    place: "compose.yaml",
    read: (file) => files[file],
    isFolder: (file) => !/\.\w+$|file$/.test(file),
  });
const service = (text: string, folder = "") => {
  const { services, up, notes } = converted(`services: { one: ${text} }`, folder);
  return {
    ...services["one"],
    ...(up["one"] === undefined ? {} : { up: up["one"] }),
    ...(notes.length > 0 ? { notes } : {}),
  };
};

describe("a compose file's service", () => {
  test.each([
    ["{ image: redis }", { image: "redis" }],
    ["{ build: ./api }", { build: "api" }],
    ["{ build: . }", { build: "." }],
    [
      "{ build: { context: api, dockerfile: D, target: dev, args: [A=1] } }",
      { build: { context: "api", dockerfile: "D", target: "dev", args: { A: "1" } } },
    ],
    // Words, and the image's entrypoint before them, as compose has it.
    [`{ image: i, command: "serve --name 'a b'" }`, { command: ["serve", "--name", "a b"], useEntrypoint: true }],
    ["{ image: i, command: [a, 1] }", { command: ["a", "1"], useEntrypoint: true }],
    ["{ image: i, entrypoint: /start.sh, command: now }", { command: ["/start.sh", "now"] }],
    ["{ image: i, environment: { A: 1, B: true, C: '' } }", { env: { A: "1", B: "true", C: "" } }],
    ["{ image: i, environment: [A=b=c, D=] }", { env: { A: "b=c", D: "" } }],
    ["{ image: i, env_file: [api.env, later.env] }", { env: { LEVEL: "debug", MODE: "file" } }],
    // What `environment` says counts more, in whichever order they stand.
    ["{ image: i, environment: { MODE: set }, env_file: api.env }", { env: { LEVEL: "info", MODE: "set" } }],
    [
      "{ image: i, env_file: [{ path: api.env }], environment: { MODE: set } }",
      { env: { LEVEL: "info", MODE: "set" } },
    ],
    ["{ image: i, working_dir: /w, user: 1000 }", { workdir: "/w", user: "1000" }],
    ["{ image: i, ports: [80, '8080:80', '127.0.0.1:1:2', '90:90/tcp'] }", { ports: [80, "8080:80", "1:2", 90] }],
    ["{ image: i, ports: [{ target: 80, published: 8080 }, { target: 3 }] }", { ports: ["8080:80", 3] }],
    [`{ image: i, healthcheck: { test: [CMD, a, "b c"] } }`, { health: { command: ["a", "b c"] } }],
    [`{ image: i, healthcheck: { test: [CMD-SHELL, "a || b"] } }`, { health: { command: "a || b" } }],
    ["{ image: i, healthcheck: { test: a b } }", { health: { command: "a b" } }],
    ["{ image: i, mem_limit: 512m }", { memory: "512MiB" }],
    ["{ image: i, mem_limit: 1048576 }", { memory: "1048576B" }],
    ["{ image: i, deploy: { resources: { limits: { memory: 1.5GB } } } }", { memory: "1.5GiB" }],
    ["{ image: i, volumes: [data:/data, /app/node_modules] }", { volumes: { data: "/data" } }],
    ["{ image: i, volumes: [{ type: tmpfs, target: /t }], tmpfs: '/run:size=1m' }", { tmpfs: ["/run", "/t"] }],
    ["{ image: i, restart: always, networks: [a], labels: { a: b }, x-mine: 1 }", { image: "i" }],
  ])("%s", (given, expected) => {
    expect(service(given)).toMatchObject(expected);
    expect(service(given)).not.toHaveProperty("notes");
  });

  test.each([
    [
      "{ image: i, working_dir: /x, volumes: ['./src:/app/src:ro'] }",
      { workdir: "/x", mounts: { "src/": "/app/src" } },
    ],
    ["{ image: i, volumes: ['.:/app'] }", { mounts: { "./": "/app" } }],
    ["{ image: i, volumes: ['./nginx.conf:/etc/nginx.conf'] }", { mounts: { "nginx.conf": "/etc/nginx.conf" } }],
    ["{ image: i, volumes: ['./Caddyfile:/etc/Caddyfile'] }", { mounts: { Caddyfile: "/etc/Caddyfile" } }],
    ["{ build: api, volumes: [{ type: bind, source: api, target: /app }] }", { mounts: { "api/": "/app" } }],
    [
      "{ build: ., develop: { watch: [{ action: sync, path: src, target: /a, ignore: [x/] }, { action: rebuild, path: package.json }, { action: sync+restart, path: c.yaml, target: /c.yaml }] } }",
      {
        up: {
          sync: [
            { from: "src/", to: "/a", exclude: ["x/"] },
            { from: "c.yaml", to: "/c.yaml" },
          ],
          rebuild: ["package.json"],
          restart: ["c.yaml"],
        },
      },
    ],
  ])("%s: edits reach it", (given, expected) => {
    expect(service(given)).toMatchObject(expected);
    expect(service(given)).not.toHaveProperty("notes");
  });

  test("is found from its file's folder", () => {
    expect(
      service("{ build: ../api, develop: { watch: [{ action: rebuild, path: ../api/x.json }] } }", "deploy/local"),
    ).toEqual({
      build: "deploy/api",
      up: { rebuild: ["deploy/api/x.json"] },
    });
  });

  test.each([
    ["{ image: i, privileged: true }", "`privileged` is left out"],
    ["{ image: i, volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }", "outside the project"],
    ["{ image: i, volumes: ['~/.aws:/root/.aws'] }", "outside the project"],
    ["{ image: i, volumes: ['../other:/o'] }", "outside the project"],
    ["{ image: i, environment: [TOKEN] }", "TOKEN has no value in the file"],
    ["{ image: i, environment: { TOKEN: } }", "TOKEN has no value in the file"],
    ["{ image: i, ports: ['3000-3005:3000-3005'] }", "is left out"],
    ["{ image: i, ports: ['53:53/udp'] }", "is left out"],
    ["{ image: i, env_file: gone.env }", "there is no gone.env"],
  ])("%s is told", (given, told) => {
    expect(service(given).notes).toEqual([expect.stringContaining(told)]);
  });
});

describe("a compose file", () => {
  test("fills in what .env says, and nothing of the user's environment", () => {
    process.env["FASTLOOP_TEST_COMPOSE"] = "mine";
    const text = `services: { db: { image: "pg:$TAG", environment: { A: "\${QUOTED}", B: "\${NONE:-two}", C: "\${EMPTY:-three}", D: "\${EMPTY-x}", E: "$$TAG", F: "\${TAG:+yes}", H: "\${NONE:-\${TAG}}", G: "\${FASTLOOP_TEST_COMPOSE}" } } }`;
    const { services, notes } = converted(text);
    delete process.env["FASTLOOP_TEST_COMPOSE"];
    expect(services["db"]).toEqual({
      image: "pg:16",
      env: { A: "a b", B: "two", C: "three", D: "", E: "$TAG", F: "yes", G: "", H: "16" },
    });
    expect(notes).toEqual(["compose.yaml: $FASTLOOP_TEST_COMPOSE has no value in .env: it is empty"]);
  });

  test("has needs, but none of a service that is left out", () => {
    const { services, notes } = converted(
      "services: { a: { image: i, depends_on: [b, c] }, b: { image: i, depends_on: { c: { condition: service_healthy } } }, c: { image: i, profiles: [debug] } }",
    );
    expect(services).toEqual({ a: { image: "i", needs: ["b"] }, b: { image: "i" } });
    expect(notes).toEqual(["compose.yaml: c: belongs to a profile, and is left out"]);
    const two = converted("services: { a: { image: i, profiles: [x] }, b: { image: i, profiles: [x] } }");
    expect(two.notes).toEqual(["compose.yaml: a, b: belong to profiles, and are left out"]);
  });

  test("may use anchors and merges", () => {
    const { services } = converted("x-base: &base { image: i, user: me }\nservices: { a: { <<: *base, user: you } }\n");
    expect(services).toEqual({ a: { image: "i", user: "you" } });
  });

  test.each([
    "",
    "[]",
    "services: []",
    "a: [",
    "version: 3",
    "services: 1",
    "services: { a: 1 }",
    "services: { b: { image: 1, ports: { a: b }, volumes: 7 } }",
    "services: { a: { build: https://example.com/a.git } }",
    "services: &s { a: { image: i, x: *s } }",
  ])("%j is refused", (text) => {
    expect(() => converted(text)).toThrow(expect.objectContaining({ code: "config" }) as Error);
  });
});
