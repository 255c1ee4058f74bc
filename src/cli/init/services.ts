/**
 * Detects services for `fastloop up` from a compose file, a Procfile, a development image or a script of package.json.
 */
import { stringify } from "yaml";
import { ownModule, parsedConfig, presets, type UpServiceConfig } from "../../config/index.ts";
import type { DetectedSuite, ProjectFiles } from "../../detect/index.ts";
import { UserError } from "../../errors/index.ts";
import { composeServices } from "../../services/index.ts";

export interface FoundServices {
  /** File that describes the services. */
  from: string;
  services: Record<string, UpServiceConfig>;
  up: Record<string, object>;
  /** What was left out, one sentence each. */
  notes: string[];
}

type Found = Omit<FoundServices, "from">;
type Finder = (files: ProjectFiles, file: string, suites: readonly DetectedSuite[]) => Found | undefined;

/** The first file found counts, as the others describe the same program. */
const finders: [files: readonly string[], find: Finder][] = [
  [["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"], ofCompose],
  [["Procfile.dev", "Procfile"], ofProcfile],
  [["Dockerfile.dev", "dev.Dockerfile", "docker/Dockerfile.dev"], ofDockerfile],
  [["package.json"], ofScripts],
];

/**
 * Returns undefined when nothing in the repository describes services. `files` are those that git has or would have, so
 * no value from an ignored file ends up in the result.
 */
export async function findServices(
  files: ProjectFiles,
  suites: readonly DetectedSuite[],
): Promise<FoundServices | undefined> {
  for (const [names, find] of finders) {
    const from = names.find((name) => files.list.includes(name));
    if (from === undefined) continue;
    try {
      const found = find(files, from, suites);
      if (found === undefined || Object.keys(found.services).length === 0) continue;
      const { services, up } = found;
      const { problems } = await parsedConfig(stringify({ version: 1, module: ownModule, services, up }));
      const [problem] = problems;
      if (problem === undefined) return { from, ...found };
      return nothing(from, `${problem.path ?? ""}: ${problem.message}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return nothing(from, error.format());
    }
  }
  return undefined;
}

const nothing = (from: string, why: string): FoundServices => ({
  from,
  services: {},
  up: {},
  notes: [`no services are written from ${from}: ${why}`],
});

function ofCompose(files: ProjectFiles, place: string): Found {
  const folders = new Set(
    files.list.flatMap((file) => file.split("/").map((_, end, parts) => parts.slice(0, end).join("/"))),
  );
  return composeServices(files.read(place), {
    folder: "",
    place,
    read: (file) => (files.list.includes(file) ? files.read(file) : undefined),
    isFolder: (file) => folders.has(file),
  });
}

/** First port that foreman assigns. */
const firstPort = 5000;

function ofProcfile(files: ProjectFiles, place: string, suites: readonly DetectedSuite[]): Found | undefined {
  const base = containerOf(files, suites);
  if (base === undefined) return undefined;
  const lines = files.read(place).split("\n");
  const processes = lines.flatMap((line) => {
    const [, name, command] = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(line.trim()) ?? [];
    // A `release` process runs once before a release; it is no service.
    return name === undefined || command === undefined || name === "release" ? [] : [{ name, command }];
  });
  const services = processes.map(({ name, command }): [string, UpServiceConfig] => {
    const shell = { ...base, command: ["sh", "-c", command] };
    if (name !== "web") return [name, shell];
    return [name, { ...shell, env: { ...base.env, PORT: String(firstPort) }, ports: firstPort }];
  });
  return { services: Object.fromEntries(services), up: {}, notes: [] };
}

function ofDockerfile(files: ProjectFiles, dockerfile: string): Found {
  const ports = [...files.read(dockerfile).matchAll(/^[ \t]*EXPOSE\s+(.*)$/gim)].flatMap(([, words = ""]) =>
    words.split(/\s+/).flatMap((word) => (/^\d+(?:\/tcp)?$/.test(word) ? [Number.parseInt(word, 10)] : [])),
  );
  const app: UpServiceConfig = { build: { context: ".", dockerfile } };
  if (ports.length > 0) app.ports = ports;
  return { services: { app }, up: {}, notes: [] };
}

function ofScripts(files: ProjectFiles, place: string, suites: readonly DetectedSuite[]): Found | undefined {
  const script = ["dev", "start"].find((name) => typeof scriptsOf(files.read(place))[name] === "string");
  const base = containerOf(files, suites, nodePresets);
  if (script === undefined || base === undefined) return undefined;
  const text = String(scriptsOf(files.read(place))[script]);
  const port = portOf(text);
  const { preset } = suites.find(({ folder }) => folder === "")!;
  // A server that listens on loopback only can't be reached from outside of its container.
  const open = /\bvite\b/.test(text) ? " -- --host 0.0.0.0" : "";
  const app: UpServiceConfig = { ...base, command: `${preset} run ${script}${open}` };
  if (port === undefined)
    return { services: { app }, up: {}, notes: [`services.app: say its \`ports\`; \`${text}\` does not tell them`] };
  return { services: { app: { ...app, ports: port } }, up: {}, notes: [] };
}

const nodePresets: readonly string[] = ["npm", "pnpm", "yarn"];

/** Returns image, dependencies and sources of a container as the root's test suite has them. */
function containerOf(
  files: ProjectFiles,
  suites: readonly DetectedSuite[],
  wanted?: readonly string[],
): UpServiceConfig | undefined {
  const suite = suites.find(({ folder, preset }) => folder === "" && (wanted?.includes(preset ?? "") ?? true));
  if (suite?.preset === undefined || suite.inBase === true) return undefined;
  const preset = presets[suite.preset];
  const manifests = (suite.manifests ?? preset.manifests).filter(
    (file) => /[*?]/.test(file) || files.list.includes(file),
  );
  const { env } = preset;
  return {
    image: suite.image ?? preset.image,
    layers: [{ name: "dependencies", files: manifests, run: [...(suite.install ?? preset.install)] }],
    sources: ["**"],
    ...(Object.keys(env).length === 0 ? {} : { env: { ...env } }),
  };
}

function scriptsOf(text: string): Record<string, unknown> {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: unknown };
    return typeof scripts === "object" && scripts !== null ? (scripts as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function portOf(script: string): number | undefined {
  const said = /(?:--port[= ]|\s-p[= ]?|\bPORT=)(\d{2,5})\b/.exec(script)?.[1];
  if (said !== undefined) return Number(said);
  return /\bvite\b/.test(script) ? 5173 : /\bnext\b/.test(script) ? 3000 : undefined;
}
