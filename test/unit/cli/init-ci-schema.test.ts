/** Workflow files have only keys that their CI systems know, each where it belongs and with values of its kind. */
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { ciFile, type CiName, type CiOptions } from "../../../src/cli/init/ci.ts";

const texts = z.record(z.string(), z.string());
const list = z.array(z.string()).min(1);
const branches = z.strictObject({
  branches: z.union([z.strictObject({ only: z.string() }), z.strictObject({ ignore: z.string() })]),
});

const gitlabRule = z.strictObject({ if: z.string(), variables: texts.optional() });
const gitlabJob = z.strictObject({
  stage: z.string(),
  script: list,
  rules: z.array(gitlabRule).optional(),
  variables: texts.optional(),
  environment: z.string().optional(),
  resource_group: z.string().optional(),
  interruptible: z.boolean().optional(),
  id_tokens: z.record(z.string(), z.strictObject({ aud: z.string() })).optional(),
});
const gitlab = z
  .object({ stages: list, image: z.string().optional(), variables: texts.optional() })
  .catchall(gitlabJob)
  .refine(({ stages, image: _image, variables: _variables, ...jobs }) =>
    Object.values(jobs).every((job) => stages.includes((job as { stage: string }).stage)),
  );

const circleci = z.strictObject({
  version: z.literal(2.1),
  jobs: z.record(
    z.string(),
    z.strictObject({
      machine: z.strictObject({ image: z.string() }),
      parameters: z.record(z.string(), z.strictObject({ type: z.literal("string"), default: z.string() })).optional(),
      environment: texts.optional(),
      steps: z.array(z.union([z.literal("checkout"), z.strictObject({ run: z.string() })])),
    }),
  ),
  workflows: z.record(
    z.string(),
    z.strictObject({
      jobs: z.array(
        z.union([
          z.string(),
          z.record(
            z.string(),
            z.strictObject({ name: z.string().optional(), "cache-to": z.string().optional(), filters: branches }),
          ),
        ]),
      ),
    }),
  ),
});

const variable = z.strictObject({ name: z.string(), value: z.string() });
const azure = z.strictObject({
  trigger: list,
  pr: list,
  pool: z.strictObject({ vmImage: z.string() }),
  variables: z
    .array(z.union([variable, z.record(z.string().regex(/^\$\{\{ if .* \}\}$/), z.array(variable))]))
    .optional(),
  jobs: z.array(
    z.strictObject({
      job: z.string(),
      condition: z.string().optional(),
      timeoutInMinutes: z.number().optional(),
      steps: z.array(
        z.union([
          z.strictObject({ script: z.string(), env: texts.optional() }),
          z.strictObject({ task: z.string().regex(/^\w+@\d+$/), inputs: texts }),
        ]),
      ),
    }),
  ),
});

const buildkite = z.strictObject({
  env: texts.optional(),
  steps: z.array(
    z.strictObject({
      label: z.string(),
      if: z.string().optional(),
      env: texts.optional(),
      timeout_in_minutes: z.number(),
      commands: list,
    }),
  ),
});

const schemas: [CiName, z.ZodType][] = [
  ["gitlab", gitlab],
  ["circleci", circleci],
  ["azure", azure],
  ["buildkite", buildkite],
];
const plain: CiOptions = { version: "1.2.3", isDependency: false };
const full: CiOptions = {
  version: "1.2.3",
  isDependency: true,
  baseRegistry: "registry.example/app/base",
  cache: "registry.example/app/cache:latest",
  deploys: [{ name: "staging", isProduction: false, isPublished: true }],
};

test.each(schemas)("%s", (name, schema) => {
  for (const options of [plain, full, { ...plain, callsDagger: true }, { ...full, callsDagger: true }])
    expect(schema.safeParse(parse(ciFile(name, options).text)).error?.issues ?? []).toEqual([]);
});

test("jenkins: blocks of a declarative pipeline, in which all that is opened is closed", () => {
  for (const options of [plain, full, { ...full, callsDagger: true }]) {
    const code = ciFile("jenkins", options)
      .text.replaceAll(/^\s*\/\/.*$/gm, "")
      .replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "''");
    const known =
      /^(?:pipeline \{|agent any|options \{ timeout\(time: \d+, unit: ''\) \}|stages \{|stage\(''\) \{|when \{ branch '' \}|environment \{|[A-Z_]+ = (?:''|credentials\(''\))|steps \{|sh ''|\})$/;
    for (const line of code.split("\n").map((each) => each.trim())) if (line !== "") expect(line).toMatch(known);
    expect(code.split("{")).toHaveLength(code.split("}").length);
  }
});
