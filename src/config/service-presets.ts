import type { ServiceConfig, ServicePresetName } from "./types.ts";

/** A service combined with its preset. */
export interface ResolvedService {
  image: string;
  packages: string[];
  port: number;
  env: Record<string, string>;
  /** If undefined, the image's own entry point and command are used. */
  command?: string[];
  tmpfs: string[];
  migrations?: {
    folder: string;
    /** Shell commands, in the service's image, with the folder at /migrations. */ script: string;
  };
}

interface ServicePreset extends Omit<ResolvedService, "migrations"> {
  /** Commands that run migrations if the configuration has none. */
  migrations: string[];
  /** Returns the script that creates initial data with these commands. */
  migrate(commands: readonly string[]): string;
}

const debian = "debian:bookworm-slim";
/** Location of migrated data in the image; the running database works on a copy in memory. */
const seed = "/var/lib/fastloop/seed";

/**
 * Databases in memory that need no durability: no fsync, no snapshots, and everyone on the test's network is trusted.
 */
const servicePresets: Record<ServicePresetName, ServicePreset> = {
  postgres: {
    image: debian,
    packages: ["postgresql"],
    port: 5432,
    env: { PGDATA: "/data/postgres", PGUSER: "postgres" },
    command: [
      "sh",
      "-ec",
      `cd /
install -d -o postgres -m 700 "$PGDATA"
PATH="$(ls -d /usr/lib/postgresql/*/bin):$PATH"
if [ -d ${seed}/postgres ]; then cp -a ${seed}/postgres/. "$PGDATA"; else setpriv --reuid postgres --regid postgres --clear-groups initdb --auth trust --no-sync >/dev/null; fi
echo "host all all all trust" >> "$PGDATA/pg_hba.conf"
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -c listen_addresses='*' -c fsync=off -c full_page_writes=off -c synchronous_commit=off`,
    ],
    tmpfs: ["/data"],
    migrations: ['for file in /migrations/*.sql; do psql -v ON_ERROR_STOP=1 --quiet --file "$file"; done'],
    migrate: (commands) => `cd /
export PGDATA=${seed}/postgres PGHOST=/var/run/postgresql
PATH="$(ls -d /usr/lib/postgresql/*/bin):$PATH"
install -d -o postgres -m 700 "$PGDATA"
setpriv --reuid postgres --regid postgres --clear-groups initdb --auth trust --no-sync >/dev/null
setpriv --reuid postgres --regid postgres --clear-groups pg_ctl start --wait --silent -o "-c listen_addresses= -c fsync=off" >/dev/null
${commands.join("\n")}
setpriv --reuid postgres --regid postgres --clear-groups pg_ctl stop --wait --silent --mode fast`,
  },
  redis: {
    image: debian,
    packages: ["redis-server"],
    port: 6379,
    env: {},
    command: [
      "redis-server",
      "--bind",
      "*",
      "-::*",
      "--protected-mode",
      "no",
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      "/data",
    ],
    tmpfs: ["/data"],
    migrations: [],
    migrate: (commands) => commands.join("\n"),
  },
};

export function resolveService(service: ServiceConfig): ResolvedService {
  const preset = service.preset === undefined ? undefined : servicePresets[service.preset];
  const { image = preset?.image, port = preset?.port, migrations } = service;
  if (image === undefined || port === undefined)
    throw new Error("a service needs an `image` and a `port`, or a `preset`");
  const commands =
    typeof migrations?.run === "string" ? [migrations.run] : (migrations?.run ?? preset?.migrations ?? []);
  return {
    image,
    port,
    packages: service.packages ?? (service.image === undefined ? (preset?.packages ?? []) : []),
    env: { ...preset?.env, ...service.env },
    command: service.command ?? preset?.command,
    tmpfs: service.tmpfs ?? preset?.tmpfs ?? [],
    migrations:
      migrations === undefined
        ? undefined
        : { folder: migrations.folder.replace(/\/$/, ""), script: preset?.migrate(commands) ?? commands.join("\n") },
  };
}
