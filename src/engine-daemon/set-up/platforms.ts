/**
 * Prepares foreign platforms on first need. An image for another architecture makes set-up install emulation and, where
 * base images are bootstrapped, that architecture's images. This happens once per daemon, and concurrent callers wait
 * for the same set-up.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { runSetup } from "./run.ts";
import type { Build, BuildkitClient } from "../../buildkit/types.ts";
import { imagesDir } from "./paths.ts";

/** Makes an architecture (named as in Go) usable for an image. `notify` receives lines of progress. */
export type PreparePlatform = (
  architecture: string,
  reference: string,
  notify: (text: string) => void,
) => Promise<void>;

/**
 * Creates the preparation for the daemon's own buildkitd. One that runs elsewhere emulates what it can and pulls what
 * it needs.
 */
export function createPreparePlatform(
  setup: typeof runSetup = runSetup,
  mayBootstrap: (reference: string) => boolean = mayBeBootstrapped,
): PreparePlatform {
  const native = process.arch === "x64" ? "amd64" : process.arch;
  const known = new Set(["amd64", "arm64"]);
  const preparing = new Map<string, Promise<void>>();
  return (architecture, reference, notify) => {
    if (architecture === native || !known.has(architecture)) return Promise.resolve();
    // Emulation is needed by all commands of the platform.
    const parts = mayBootstrap(reference) ? ["images", "emulation"] : ["emulation"];
    const key = `${architecture} ${parts.join()}`;
    let pending = preparing.get(key);
    if (pending === undefined) {
      pending = setup(parts, { onNotice: notify }, ["--arch", architecture]);
      preparing.set(key, pending);
      // After a failure, the next need tries again.
      pending.catch(() => preparing.delete(key));
    }
    return pending;
  };
}

/**
 * Returns the manifest of a bootstrapped image for one architecture, or undefined for an image that was not
 * bootstrapped here.
 */
export type BootstrappedManifest = (reference: string, architecture: string) => string | undefined;

/** Returns a client that prepares each image's platform before it resolves the image. */
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
          // The tag's own digest changes when another platform is bootstrapped, which must not affect results of this
          // one.
          const manifest = reference.includes("@") ? undefined : manifestOf(reference, architecture);
          return manifest === undefined ? resolved : { ...resolved, digest: manifest };
        },
      });
    },
  });
}

function bootstrappedManifest(reference: string, architecture: string): string | undefined {
  const decision = readDecision();
  return decision?.mode === "local"
    ? decision.images?.[repositoryOf(reference) ?? ""]?.[architecture]?.digest
    : undefined;
}

/**
 * Reports whether set-up may have to bootstrap an image: where it has bootstrapped this machine's, one of the same
 * repositories. Others can only be pulled, and must not wait for a bootstrap.
 */
export function mayBeBootstrapped(reference: string, decision = readDecision()): boolean {
  const repository = repositoryOf(reference);
  if (repository === undefined) return false;
  return decision?.mode !== "local" || Object.hasOwn(decision.images ?? {}, repository);
}

const repositoryOf = (reference: string): string | undefined => /^docker\.io\/([^:@]+)/.exec(reference)?.[1];

/** Reads what set-up recorded; see tools/setup/decision.mjs. */
function readDecision(): Decision | undefined {
  try {
    return JSON.parse(readFileSync(path.join(imagesDir(), "decision.json"), "utf8")) as Decision;
  } catch {
    return undefined;
  }
}

interface Decision {
  mode?: string;
  /** Manifests by repository and architecture. */
  images?: Record<string, Record<string, { digest?: string }>>;
}

/**
 * Returns an object with some methods replaced. The others still run on the original, whose private fields they need.
 */
function override<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(original, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key);
      const value: unknown = Reflect.get(original, key);
      return typeof value === "function" ? (value.bind(original) as unknown) : value;
    },
  });
}
