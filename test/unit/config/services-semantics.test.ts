import { expect, test } from "vitest";
import { problemsOf } from "./problems.ts";

test.each<[title: string, text: string, problems: string[]]>([
  [
    "a way of each kind",
    "services: { a: { image: x }, b: { build: . }, c: { function: web }, d: { preset: redis } }",
    [],
  ],
  ["a preset with an image of its own", "services: { a: { image: x, preset: redis } }", []],
  [
    "no way",
    "services: { a: { command: [x] } }",
    [
      "2:16 services.a (semantic contradiction) service `a` has nothing to run | name an `image`, a `build`, a `function` or a `preset`",
    ],
  ],
  [
    "two ways",
    "services: { a: { image: x, build: . } }",
    ["2:35 services.a.build (semantic contradiction) service `a` has `image` already | keep one of them"],
  ],
  [
    "a preset beside a build",
    "services: { a: { build: ., preset: redis } }",
    ["2:36 services.a.preset (semantic contradiction) service `a` has `build` already | keep one of them"],
  ],
  [
    "a function beside an image",
    "services: { a: { image: x, function: web } }",
    ["2:38 services.a.function (semantic contradiction) service `a` has `image` already | keep one of them"],
  ],
  ["needs in order", "services: { a: { image: x, needs: [b] }, b: { image: x } }", []],
  [
    "a need that is no service",
    "services: { web: { image: x, needs: [db, bd] }, db: { image: x } }",
    ["2:42 services.web.needs.1 (semantic unknown-reference) unknown service `bd` | did you mean `db`?"],
  ],
  [
    "a circle behind a service that is not part of it",
    "services: { a: { image: x, needs: [b] }, b: { image: x, needs: [c] }, c: { image: x, needs: [b] } }",
    ["2:64 services.b.needs (semantic circle) services need each other in a circle: b -> c -> b"],
  ],
  [
    "a circle and a need that is no service",
    "services: { a: { image: x, needs: [zzzz, a] } }",
    [
      "2:35 services.a.needs (semantic circle) services need each other in a circle: a -> a",
      "2:36 services.a.needs.0 (semantic unknown-reference) unknown service `zzzz` | known: a",
    ],
  ],
  [
    "an image of the project that is not there",
    "services: { a: { image: base }, b: { image: dev }, c: { image: prod } }",
    [
      "2:25 services.a.image (semantic contradiction) there is no `images.base`",
      "2:45 services.b.image (semantic contradiction) there is no `images.dev`",
      "2:64 services.c.image (semantic contradiction) there is no `images.prod`",
    ],
  ],
  [
    "images of the project",
    "images: { base: { from: x }, dev: { base: x }, prod: { from: x } }\nservices: { a: { image: base }, b: { image: dev }, c: { image: prod } }",
    [],
  ],
  [
    "one image of the project, but not the other",
    "images: { base: { from: x } }\nservices: { a: { image: base }, b: { image: dev } }",
    ["3:45 services.b.image (semantic contradiction) there is no `images.dev`"],
  ],
  [
    "what goes with a function",
    "services: { a: { function: web, ports: 8080, health: { http: / }, memory: 1GB } }",
    [],
  ],
  [
    "what does not go with a function",
    "services: { a: { function: web, command: [x], env: { A: b } } }",
    [
      "2:42 services.a.command (semantic contradiction) `command` does not go with `function` | the function's own code defines its container",
      "2:52 services.a.env (semantic contradiction) `env` does not go with `function` | the function's own code defines its container",
    ],
  ],
  [
    "a check by a command beside a function",
    "services: { a: { function: web, health: { command: [x] } } }",
    [
      "2:41 services.a.health (semantic contradiction) `command` does not go with `function` | use withDockerHealthcheck in its code",
    ],
  ],
  ["a check by a command beside an image", "services: { a: { image: x, health: { command: [x] } } }", []],
  [
    "needs beside a function",
    "services: { a: { function: web, needs: [b] }, b: { image: x } }",
    [
      "2:40 services.a.needs (semantic contradiction) `needs` does not go with `function` | bind it with withServiceBinding in its code",
    ],
  ],
  ["migrations of a preset that runs them", "services: { a: { preset: postgres, migrations: { folder: db/ } } }", []],
  ["migrations with a command", "services: { a: { image: x, migrations: { folder: db/, run: [x] } } }", []],
  [
    "migrations without a command",
    "services: { a: { preset: redis, migrations: { folder: db/ } } }",
    [
      "2:45 services.a.migrations (semantic contradiction) `run` is missing | only the preset postgres knows how to run a folder of migrations",
    ],
  ],
  ["a port for each", "services: { a: { image: x, ports: 8080 }, b: { image: x, ports: 8081 } }", []],
  [
    "one port for two",
    "services: { a: { image: x, ports: 8080 }, b: { image: x, ports: 8080 }, c: { image: x, ports: 8080 } }",
    [
      "2:65 services.b.ports (semantic contradiction) port 8080 is that of `a` already | map it: `ports: HOST:CONTAINER`",
      "2:95 services.c.ports (semantic contradiction) port 8080 is that of `a` already | map it: `ports: HOST:CONTAINER`",
    ],
  ],
  [
    "one port of a service twice",
    "services: { a: { image: x, ports: ['8080:80', '8080:81'] } }",
    ["2:35 services.a.ports (semantic contradiction) port 8080 is given twice | map it: `ports: HOST:CONTAINER`"],
  ],
  [
    "ports of containers that are alike",
    "services: { a: { image: x, ports: '8080:80' }, b: { image: x, ports: '8081:80' } }",
    [],
  ],
  [
    "a port that `up` moved away",
    "services: { a: { image: x, ports: 8080 }, b: { image: x, ports: 8080 } }\nup: { b: { ports: '8081:8080' } }",
    [],
  ],
  [
    "a port that `up` moved to another's",
    "services: { a: { image: x, ports: 8080 }, b: { image: x, ports: 8081 } }\nup: { b: { ports: '8080:8081' } }",
    ["3:19 up.b.ports (semantic contradiction) port 8080 is that of `a` already | map it: `ports: HOST:CONTAINER`"],
  ],
  [
    "a process of this machine",
    "local: { a: { serve: x }, b: { run: x, needs: [a] }, c: { run: x, serve: y, needs: [fn] } }",
    [],
  ],
  [
    "a process of this machine with the name of a service",
    "services: { a: { image: x } }\nlocal: { a: { serve: x } }",
    ["3:13 local.a (semantic contradiction) there is a service `a` already | rename one of them"],
  ],
  [
    "a process of this machine with nothing to run",
    "local: { a: { needs: [b] }, b: { serve: x } }",
    ["2:13 local.a (semantic contradiction) `a` has nothing to run | name a `run`, a `serve` or both"],
  ],
  [
    "processes of this machine in a circle",
    "local: { a: { serve: x, needs: [b] }, b: { serve: x, needs: [c] }, c: { serve: x, needs: [fn, b] } }",
    ["2:61 local.b.needs (semantic circle) they need each other in a circle: b -> c -> b"],
  ],
])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));
