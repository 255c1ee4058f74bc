/** Services that tests may want: noticed, and told with the lines that give them to the tests. */
import { yamlDocument } from "../text/index.ts";
import { folderOf, has } from "./files.ts";
import type { DetectedSuite, ProjectFiles } from "./types.ts";

const composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const manifests = /(?:^|\/)(?:package\.json|pyproject\.toml|requirements[^/]*\.txt|go\.mod|Cargo\.toml)$/;

/** Libraries that speak to a database or a queue. */
const clients =
  /["'\s/](?:psycopg2?|asyncpg|sqlalchemy|sqlmodel|django|pg|postgres|mysql2?|knex|prisma|typeorm|sequelize|drizzle-orm|redis|ioredis|bullmq|celery|mongoose|mongodb|pymongo|pgx|pq|gorm|sqlx|diesel|tokio-postgres|kafkajs|amqplib|pika)(?=["'\s[<>=~!:;,/-]|$)/im;
/** What is started beside a program, and no test speaks to. */
const forPeople =
  /(?:^|\/)(?:traefik|nginx|caddy|haproxy|adminer|pgadmin4?|phpmyadmin|mongo-express|redis-commander|portainer|watchtower|grafana|prometheus|jaeger)\b/;

/** A service as a compose file or a library of test containers names it. */
interface NamedService {
  name: string;
  image: string;
  port?: number;
}

/** One note for each file that names services, with lines for the suites whose packages have a client of one, else the first. */
export function serviceNotes(files: ProjectFiles, all: readonly Pick<DetectedSuite, "name" | "folder">[]): string[] {
  const notes: string[] = [];
  const using = all.filter(({ folder }) =>
    files.list.some((file) => folderOf(file) === folder && manifests.test(file) && clients.test(files.read(file))),
  );
  const suites = (using.length > 0 ? using : [all[0] ?? { name: "app" }]).map(({ name }) => name);
  const compose = composeFiles.find((file) => has(files, file));
  const services = (compose === undefined ? [] : composeServices(files.read(compose))).filter(
    ({ image }) => !forPeople.test(image),
  );
  if (services.length > 0)
    notes.push(
      `${compose} starts ${services.map(({ image }) => image).join(", ")} (\`fastloop up --from ${compose}\`); if tests need them, add to fastloop.yaml:\n${linesFor(services, suites)}`,
    );
  const user = files.list
    .filter((file) => manifests.test(file))
    .find((file) => /testcontainers/.test(files.read(file)));
  if (user !== undefined) {
    const known = [...presets.keys()].filter((name) => files.read(user).includes(name));
    const lines = linesFor(
      (known.length === 0 ? ["postgres"] : known).map((name) => ({ name, image: name })),
      suites,
    );
    notes.push(
      `${user} uses testcontainers, which needs a Docker daemon that no test container has; give the tests their services in fastloop.yaml, and their addresses (\`HOST:PORT\` by name) in the environment:\n${lines}`,
    );
  }
  return notes;
}

/** Images that a preset of ours replaces. */
const presets = new Map([
  ["postgres", /(?:^|\/)(?:postgres|postgis|timescaledb)\b/],
  ["redis", /(?:^|\/)(?:redis|valkey)\b/],
]);

function linesFor(services: readonly NamedService[], suites: readonly string[]): string {
  const entries = services.map(({ name, image, port }) => {
    const preset = [...presets].find(([, pattern]) => pattern.test(image))?.[0];
    return `      ${name}: ${preset === undefined ? `{ image: "${image}", port: ${port ?? "PORT"} }` : `{ preset: ${preset} }`}`;
  });
  const names = services.map(({ name }) => name).join(", ");
  const lines = suites.map((suite) => `      ${suite}: { services: [${names}] }`);
  return ["  tests:", "    services:", ...entries, "    suites:", ...lines].join("\n");
}

/** The services of a compose file that come from an image; those that it builds are the project itself. */
function composeServices(text: string): NamedService[] {
  let document: unknown;
  try {
    const parsed = yamlDocument(text);
    if (parsed.errors.length > 0) return [];
    document = parsed.toJS();
  } catch {
    return [];
  }
  const { services } = (document ?? {}) as { services?: unknown };
  if (typeof services !== "object" || services === null) return [];
  return Object.entries(services as Record<string, unknown>).flatMap(([name, value]) => {
    const { image, build, ports, expose } = (value ?? {}) as Record<string, unknown>;
    if (typeof image !== "string" || build !== undefined || !/^[\w.-]+$/.test(name)) return [];
    const port = [ports, expose]
      .flat()
      .map((each) => portOf(each))
      .find((each) => each !== undefined);
    return [{ name, image: image.replaceAll('"', ""), ...(port === undefined ? {} : { port }) }];
  });
}

/** `8080:80`, `127.0.0.1:8080:80/tcp`, `80` or `{ target: 80 }`: the port in the container. */
function portOf(entry: unknown): number | undefined {
  const text = typeof entry === "object" && entry !== null ? (entry as { target?: unknown }).target : entry;
  const words = typeof text === "string" || typeof text === "number" ? `${text}` : "";
  const port = Number(/(?<!\d)(\d+)(?:\/\w+)?$/.exec(words)?.[1]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}
