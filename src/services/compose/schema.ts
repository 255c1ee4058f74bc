import * as z from "zod";

/** Schema of the parts of a compose file that are read. Other keys are left out with a note. */

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.union([text.transform((one) => [one]), z.array(text)]);
/** An undefined value is taken by compose from the environment of whoever starts it. */
const pairs = z.union([
  z.record(
    z.string(),
    text.nullable().transform((value) => value ?? undefined),
  ),
  z.array(text).transform((lines) => Object.fromEntries(lines.map(pairOf))),
]);
/** A command is a list of words; no shell runs it. */
const words = z.union([z.string(), z.array(text)]);

const port = z.union([
  text,
  z.looseObject({ target: text, published: text.optional(), protocol: z.string().optional() }),
]);

const volume = z.union([
  z.string(),
  z.looseObject({ type: z.string().optional(), source: z.string().optional(), target: z.string() }),
]);

const build = z.union([
  z.string(),
  z.looseObject({
    context: z.string().optional(),
    dockerfile: z.string().optional(),
    target: z.string().optional(),
    args: pairs.optional(),
  }),
]);

export const composeService = z.looseObject({
  image: z.string().optional(),
  build: build.optional(),
  command: words.nullish(),
  entrypoint: words.nullish(),
  environment: pairs.nullish(),
  env_file: z.union([z.string(), z.array(z.union([z.string(), z.looseObject({ path: z.string() })]))]).nullish(),
  working_dir: z.string().optional(),
  user: text.optional(),
  ports: z.array(port).nullish(),
  volumes: z.array(volume).nullish(),
  tmpfs: texts.nullish(),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).nullish(),
  profiles: z.array(z.string()).nullish(),
  healthcheck: z
    .looseObject({ test: z.union([z.string(), z.array(text)]).optional(), disable: z.boolean().optional() })
    .nullish(),
  mem_limit: text.optional(),
  deploy: z
    .looseObject({
      resources: z.looseObject({ limits: z.looseObject({ memory: text.optional() }).nullish() }).nullish(),
    })
    .nullish(),
  develop: z
    .looseObject({
      watch: z
        .array(
          z.looseObject({
            action: z.string(),
            path: z.string(),
            target: z.string().optional(),
            ignore: z.array(z.string()).optional(),
          }),
        )
        .optional(),
    })
    .nullish(),
});

export const composeFile = z.looseObject({
  services: z
    .record(z.string(), composeService)
    .refine((services) => Object.keys(services).length > 0, "there are none"),
});

export type ComposeService = z.infer<typeof composeService>;

function pairOf(line: string): [string, string | undefined] {
  const at = line.indexOf("=");
  return at < 0 ? [line, undefined] : [line.slice(0, at), line.slice(at + 1)];
}
