/** Detects services that tests may need, and suggests the configuration that provides them. */
import { yamlDocument } from "../text/index.ts";
import { folderOf, has, mapOf } from "./files.ts";
import type { DetectedSuite, ProjectFiles } from "./types.ts";
import { servicesOfJobs } from "./workflows.ts";

const composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const manifests = /(?:^|\/)(?:package\.json|pyproject\.toml|requirements[^/]*\.txt|go\.mod|Cargo\.toml)$/;

/** Client libraries of databases and queues. */
const clients =
  /["'\s/](?:psycopg2?|asyncpg|sqlalchemy|sqlmodel|django|pg|postgres|mysql2?|knex|prisma|typeorm|sequelize|drizzle-orm|redis|ioredis|bullmq|celery|mongoose|mongodb|pymongo|pgx|pq|gorm|sqlx|diesel|tokio-postgres|kafkajs|amqplib|pika)(?=["'\s[<>=~!:;,/-]|$)/im;
/** Services that are started beside a program and that no test uses. */
const forPeople =
  /(?:^|\/)(?:traefik|nginx|caddy|haproxy|adminer|pgadmin4?|phpmyadmin|mongo-express|redis-commander|portainer|watchtower|grafana|prometheus|jaeger)\b/;

/** A service as a compose file or a test container library names it. */
interface NamedService {
  name: string;
  image: string;
  port?: number;
}

/**
 * Returns one note for each file that names services, with configuration for the suites whose packages have a client of
 * one; for the first suite if none has.
 */
export function serviceNotes(files: ProjectFiles, all: readonly Pick<DetectedSuite, "name" | "folder">[]): string[] {
  const notes: string[] = [];
  const using = all.filter(({ folder }) =>
    files.list.some((file) => folderOf(file) === folder && manifests.test(file) && clients.test(files.read(file))),
  );
  const suites = (using.length > 0 ? using : [all[0] ?? { name: "app" }]).map(({ name }) => name);
  const compose = composeFiles.find((file) => has(files, file));
  const ofCompose = compose === undefined ? [] : usedByTests(servicesIn(documentOf(files.read(compose))["services"]));
  const ofJobs = servicesOfJobs(files).map(({ file, services }) => ({
    file,
    services: usedByTests(servicesIn(services)),
  }));
  if (ofCompose.length > 0)
    notes.push(
      `${compose} starts ${imagesOf(ofCompose)} (\`fastloop up --from ${compose}\`); if tests need them, add to fastloop.yaml:\n${linesFor(ofCompose, suites)}`,
    );
  else if (ofJobs.some(({ services }) => services.length > 0)) {
    const services = unique(ofJobs.flatMap((each) => each.services));
    const from = ofJobs.filter((each) => each.services.length > 0).map(({ file }) => file);
    notes.push(
      `${from.join(", ")} ${from.length === 1 ? "starts" : "start"} ${imagesOf(services)} beside the tests; if these need them, add to fastloop.yaml:\n${linesFor(services, suites)}\n  ${byName(services)}`,
    );
  }
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

/** Images that a preset replaces. */
const presets = new Map([
  ["postgres", /(?:^|\/)(?:postgres|postgis|timescaledb)\b/],
  ["redis", /(?:^|\/)(?:redis|valkey)\b/],
]);

function linesFor(services: readonly NamedService[], suites: readonly string[]): string {
  const entries = services.map(({ name, image, port }) => {
    const preset = presetFor(image);
    return `      ${name}: ${preset === undefined ? `{ image: "${image}", port: ${port ?? "PORT"} }` : `{ preset: ${preset} }`}`;
  });
  const names = services.map(({ name }) => name).join(", ");
  const lines = suites.map((suite) => `      ${suite}: { services: [${names}] }`);
  return ["  tests:", "    services:", ...entries, "    suites:", ...lines].join("\n");
}

const imagesOf = (services: readonly NamedService[]): string => services.map(({ image }) => image).join(", ");

/** Tests that were written for a CI's runner expect its services on their own host. */
function byName([first]: readonly NamedService[]): string {
  const { name = "NAME", port } = first ?? {};
  const at = port ?? "PORT";
  return `Tests reach a service by its name (\`${name}:${at}\`), not at \`localhost\`. Where they insist on that, add \`socat\` to the packages of \`images.base\`, and let the tier begin with \`socat TCP-LISTEN:${at},fork,reuseaddr TCP:${name}:${at} &\`.`;
}

/** Returns one service for each image, without those that no test uses. */
const usedByTests = (services: readonly NamedService[]): NamedService[] =>
  unique(services.filter(({ image }) => !forPeople.test(image)));

/** Returns one service for each image, whatever its tag; a preset's for all that it replaces. */
function unique(services: readonly NamedService[]): NamedService[] {
  const key = ({ image }: NamedService): string => presetFor(image) ?? image.replace(/@.*$/, "").replace(/:[^/]*$/, "");
  return [...new Map(services.toReversed().map((each) => [key(each), each])).values()].toReversed();
}

const presetFor = (image: string): string | undefined => [...presets].find(([, pattern]) => pattern.test(image))?.[0];

/** Returns the mapping of a YAML file; an empty one for any other text. */
function documentOf(text: string): Record<string, unknown> {
  try {
    const parsed = yamlDocument(text);
    return parsed.errors.length > 0 ? {} : (mapOf(parsed.toJS()) ?? {});
  } catch {
    return {};
  }
}

/**
 * Returns the services of a compose file or a job that come from an image and start by default; those that it builds are
 * the project itself.
 */
function servicesIn(services: unknown): NamedService[] {
  return Object.entries(mapOf(services) ?? {}).flatMap(([name, value]) => {
    const { image, build, ports, expose, profiles } = (value ?? {}) as Record<string, unknown>;
    if (typeof image !== "string" || build !== undefined || !/^[\w.-]+$/.test(name)) return [];
    if (Array.isArray(profiles) && profiles.length > 0) return [];
    // Variables have their default, and a version out of a matrix is left open.
    const plain = image
      .replaceAll(/\$\{\w+:?-([^{}]*)\}/g, "$1")
      .replace(/:[^:/]*\$\{\{.*$/, "")
      .replaceAll('"', "");
    const port = [ports, expose]
      .flat()
      .map((each) => portOf(each))
      .find((each) => each !== undefined);
    return plain.includes("$") ? [] : [{ name, image: plain, ...(port === undefined ? {} : { port }) }];
  });
}

/** Returns the container's port from `8080:80`, `127.0.0.1:8080:80/tcp`, `80` or `{ target: 80 }`. */
function portOf(entry: unknown): number | undefined {
  const text = typeof entry === "object" && entry !== null ? (entry as { target?: unknown }).target : entry;
  const words = typeof text === "string" || typeof text === "number" ? `${text}` : "";
  const port = Number(/(?<!\d)(\d+)(?:\/\w+)?$/.exec(words)?.[1]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}
