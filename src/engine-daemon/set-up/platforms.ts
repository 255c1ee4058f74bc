/**
 * Foreign platforms on first need: an image for another architecture asks set-up for emulation and, where base images are
 * bootstrapped, for that architecture's. Once per daemon; everyone who asks meanwhile waits for the same set-up.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { runSetup } from "./run.ts";
import type { Build, BuildkitClient } from "../../buildkit/types.ts";
import { imagesDir } from "./paths.ts";

/** Makes an architecture (as Go names it) usable for an image; `notify` gets lines of progress. */
export type PreparePlatform = (
  architecture: string,
  reference: string,
  notify: (text: string) => void,
) => Promise<void>;

/** For our own buildkitd. One that runs elsewhere emulates what it can, and pulls what it needs. */
export function createPreparePlatform(setup: typeof runSetup = runSetup): PreparePlatform {
  const native = process.arch === "x64" ? "amd64" : process.arch;
  const known = new Set(["amd64", "arm64"]);
  const preparing = new Map<string, Promise<void>>();
  return (architecture, reference, notify) => {
    if (architecture === native || !known.has(architecture)) return Promise.resolve();
    // Only what comes from docker.io may have to be bootstrapped; all commands of the platform need the emulation.
    const parts = reference.startsWith("docker.io/") ? ["images", "emulation"] : ["emulation"];
    const key = `${architecture} ${parts.join()}`;
    let pending = preparing.get(key);
    if (pending === undefined) {
      pending = setup(parts, { onNotice: notify }, ["--arch", architecture]);
      preparing.set(key, pending);
      // What failed is tried again at the next need.
      pending.catch(() => preparing.delete(key));
    }
    return pending;
  };
}

/** The manifest of a bootstrapped image for one architecture; undefined for images that were not bootstrapped here. */
export type BootstrappedManifest = (reference: string, architecture: string) => string | undefined;

/** The client with each image's platform prepared before the image is resolved. */
export function withPlatforms(
  client: BuildkitClient,
  prepare: PreparePlatform,
  notify: (text: string) => void,
  manifestOf: BootstrappedManifest = bootstrappedManifest,
): BuildkitClient {
  return override(client, {
    openBuild: async (options) => {
      const build = await client.openBuild(options);
      return override<Build>(build, {
        resolveImageConfig: async (reference, platform) => {
          const architecture = platform.split("/")[1] ?? "";
          await prepare(architecture, reference, notify);
          const resolved = await build.resolveImageConfig(reference, platform);
          // The tag's own digest changes when another platform is bootstrapped: results of this one must not.
          const manifest = reference.includes("@") ? undefined : manifestOf(reference, architecture);
          return manifest === undefined ? resolved : { ...resolved, digest: manifest };
        },
      });
    },
  });
}

/** From what set-up wrote down; see tools/setup/decision.mjs. */
function bootstrappedManifest(reference: string, architecture: string): string | undefined {
  const repository = /^docker\.io\/([^:@]+)/.exec(reference)?.[1];
  if (repository === undefined) return undefined;
  try {
    const decision = JSON.parse(readFileSync(path.join(imagesDir(), "decision.json"), "utf8")) as Decision;
    return decision.mode === "local" ? decision.images?.[repository]?.[architecture]?.digest : undefined;
  } catch {
    return undefined;
  }
}

interface Decision {
  mode?: string;
  /** Manifests by repository and architecture. */
  images?: Record<string, Record<string, { digest?: string }>>;
}

/** An object with some methods replaced. The others still run on the original, whose private fields they need. */
function override<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(original, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key);
      const value: unknown = Reflect.get(original, key);
      return typeof value === "function" ? (value.bind(original) as unknown) : value;
    },
  });
}
