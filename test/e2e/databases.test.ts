// PostgreSQL and Redis as real services, their data in memory, the schema made once for each state of its folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop } from "./cli-process.ts";

const coldMs = 10 * 60_000;
let project: string;

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-databases-"));
  mkdirSync(path.join(project, ".git"));
  mkdirSync(path.join(project, "db/migrations"), { recursive: true });
  writeFileSync(path.join(project, "query.txt"), "1");
  writeFileSync(
    path.join(project, "db/migrations/001-orders.sql"),
    "CREATE TABLE orders (id int, made uuid DEFAULT gen_random_uuid());\nINSERT INTO orders VALUES (1);\n",
  );
  // The suite's base is the database's own image: one installation serves both.
  writeFileSync(
    path.join(project, "fastloop.yaml"),
    `version: 1
images:
  base: { from: debian:bookworm-slim, packages: [postgresql] }
tests:
  services:
    db: { preset: postgres, migrations: { folder: db/migrations/ } }
    cache: { preset: redis }
  suites:
    data:
      image: base
      services: [db, cache]
      tiers:
        fast:
          run:
            - psql -h db -U postgres -v ON_ERROR_STOP=1 -qAtc "INSERT INTO orders VALUES (10 + $(cat query.txt))"
            - test "$(psql -h db -U postgres -Atc 'SHOW data_directory')" = /data/postgres
            - bash -c 'exec 3<>/dev/tcp/cache/6379; printf "SET n 41\\r\\nINCR n\\r\\n" >&3; read -r x <&3; read -r y <&3; test "$x$y" = "$(printf "+OK\\r:42\\r")"'
            - psql -h db -U postgres -Atc "SELECT count(*), min(made::text) FILTER (WHERE id = 1) FROM orders"
`,
  );
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Count of the table's rows, and the random value that its migration made. */
async function rows(): Promise<string> {
  const { exitCode, stdout, stderr } = await fastloop(["-m", packageRoot(), "call", "test", "--source", "."], {
    cwd: project,
  });
  expect(exitCode, stderr).toBe(0);
  return /(\d+\|\S+)/.exec(stdout)?.[1] ?? stdout;
}

test(
  "a suite meets migrated PostgreSQL and Redis by their names; what a run writes is gone with it",
  async () => {
    const first = await rows();
    expect(first).toMatch(/^2\|[0-9a-f-]{36}$/);
    writeFileSync(path.join(project, "query.txt"), "2");
    expect(await rows()).toBe(first);
  },
  coldMs,
);

test(
  "migrations run again only when their folder's content changed",
  async () => {
    const before = await rows();
    writeFileSync(path.join(project, "db/migrations/002-more.sql"), "INSERT INTO orders VALUES (7);\n");
    const after = await rows();
    expect(after).toMatch(/^3\|/);
    expect(after.slice(2)).not.toBe(before.slice(2));
    rmSync(path.join(project, "db/migrations/002-more.sql"));
    expect(await rows()).toBe(before);
  },
  coldMs,
);
