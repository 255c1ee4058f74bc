import * as z from "zod";
import {
  environment,
  layer,
  name,
  oneOrMore,
  patterns,
  relativePath,
  servicePresetNames,
  size,
  timeLimit,
} from "./schema-parts.ts";

/** `services` and `up`: what runs on a developer's machine, and how an edit reaches it. */

const portNumber = z.int().min(1).max(65_535);
const port = z.union([
  portNumber,
  z
    .string()
    .regex(/^\d{1,5}(:\d{1,5})?$/, "a port such as 8080, or HOST:CONTAINER")
    .refine(
      (text) => text.split(":").every((part) => Number(part) >= 1 && Number(part) <= 65_535),
      "ports from 1 to 65535",
    ),
]);
const ports = z
  .union([port, z.array(port)])
  .describe("8080, or HOST:CONTAINER; a list of them where there are several. They are on loopback only.");

const health = z
  .union([
    z.string().startsWith("/"),
    z.strictObject({
      http: z.string().startsWith("/").optional().describe("A path that answers with less than 400."),
      port: portNumber.optional().describe("Default: the first one."),
      command: oneOrMore.optional().describe("In the container; exit code 0 is healthy."),
      timeout: timeLimit.optional().describe("How long the start may take. Default: 2m."),
    }),
  ])
  .describe(
    "When it is healthy: an HTTP path, or more. Default: the image's health check, else that its ports accept.",
  );

const build = z.union([
  relativePath,
  z.strictObject({
    context: relativePath.describe("Folder of the project."),
    dockerfile: relativePath.optional().describe("Below the context. Default: Dockerfile."),
    target: z.string().min(1).optional(),
    args: environment.optional(),
  }),
]);

const volumeName = z.string().regex(/^[A-Za-z0-9._-]+$/, "a volume's name");

const memory = size.describe("The most that its container may have, e.g. 512MB: the kernel ends what wants more.");

const service = z.strictObject({
  image: z.string().min(1).optional().describe("`base`, `dev`, `prod` or an image."),
  build: build.optional().describe("Folder with a Dockerfile."),
  preset: z.enum(servicePresetNames).optional().describe("A database from Debian's packages, its data in memory."),
  function: z
    .string()
    .min(1)
    .optional()
    .describe("A call of the module that gives a Service, in the grammar of `dagger call`."),
  packages: z.array(z.string().min(1)).optional().describe("System packages installed on top of the image."),
  workdir: z
    .string()
    .startsWith("/")
    .optional()
    .describe("Default: /app where `sources` or `layers` are, else the image's."),
  layers: z
    .array(layer)
    .optional()
    .describe("What is installed before the sources come; an edit of their files rebuilds."),
  sources: patterns.optional().describe("Copied into workdir last: an edit of them reaches the running container."),
  mounts: z
    .record(relativePath, z.string().startsWith("/"))
    .optional()
    .describe(
      "Files, and folders with `/`, of the project and where they are in the container: as copies that edits reach.",
    ),
  env: environment.optional(),
  user: z.string().min(1).optional(),
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .optional()
    .describe("A shell command, or words. Default: the image's."),
  useEntrypoint: z.boolean().optional().describe("The image's entrypoint comes before the words of `command`."),
  ports: ports.optional(),
  health: health.optional(),
  memory: memory.optional(),
  needs: z.array(name).optional().describe("Services that must be healthy first; reachable by their names."),
  volumes: z
    .record(volumeName, z.string().startsWith("/"))
    .optional()
    .describe("Data that stays: name to absolute path in the container."),
  tmpfs: z.array(z.string().startsWith("/")).optional().describe("Folders in memory."),
  migrations: z
    .strictObject({
      folder: relativePath.describe("Of the project; mounted at /migrations."),
      run: oneOrMore.optional().describe("Default for postgres: every *.sql in the order of names."),
    })
    .optional()
    .describe("Run once into the initial data, and again only when the folder's content changed."),
});

export const services = z.record(name, service);

const localPort = portNumber.describe("Where it listens, on this machine.");

const localService = z.strictObject({
  run: z.string().min(1).optional().describe("A shell command that ends; `serve` starts when it was well."),
  serve: z.string().min(1).optional().describe("A shell command that goes on: one that ended by itself starts again."),
  inputs: patterns.optional().describe("An edit of them runs `run` and starts `serve` again."),
  needs: z
    .array(name)
    .optional()
    .describe("Services, functions with `@up()` and others of `local`; their addresses are in its environment."),
  cwd: relativePath.optional().describe("Default: the project's folder."),
  env: environment.optional(),
  ports: z
    .union([localPort, z.array(localPort)])
    .optional()
    .describe("Where `serve` listens: it is ready when the first one accepts."),
  health: z
    .union([
      z.string().startsWith("/"),
      z.strictObject({
        http: z.string().startsWith("/").optional(),
        port: portNumber.optional(),
        timeout: timeLimit.optional(),
      }),
    ])
    .optional()
    .describe("When `serve` is ready: an HTTP path, or more. Default: that its first port accepts."),
});

export const local = z.record(name, localService);

const live = z.strictObject({
  ports: ports.optional(),
  health: health.optional(),
  memory: memory.optional(),
  sync: z
    .array(
      z.strictObject({
        from: relativePath.describe("A file, or a folder with `/`."),
        to: z.string().startsWith("/").describe("In the container."),
        exclude: patterns.optional(),
      }),
    )
    .optional()
    .describe("Edits that are written into the running container."),
  run: z
    .array(z.strictObject({ on: patterns.min(1), do: z.string().min(1) }))
    .optional()
    .describe("Shell commands in the container after an edit of these files was synced."),
  restart: patterns.optional().describe("Edits after which its command starts again, in the same container."),
  rebuild: patterns.optional().describe("Edits that make a new container; wins over all others."),
});

export const up = z.record(name, live);
