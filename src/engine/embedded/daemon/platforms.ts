/**
 * Foreign platforms on first need: an image for another architecture asks set-up for emulation and, where base images are
 * bootstrapped, for that architecture's. Once per daemon; everyone who asks meanwhile waits for the same set-up.
 */
import { runSetup } from "../../session-setup.ts";
import type { Build, BuildkitClient } from "../buildkit/types.ts";

/** Makes an architecture (as Go names it) usable; `notify` gets lines of progress. */
export type PreparePlatform = (architecture: string, notify: (text: string) => void) => Promise<void>;

/** For our own buildkitd. One that runs elsewhere emulates what it can, and pulls what it needs. */
export function createPreparePlatform(setup: typeof runSetup = runSetup): PreparePlatform {
  const native = process.arch === "x64" ? "amd64" : process.arch;
  const known = new Set(["amd64", "arm64"]);
  const preparing = new Map<string, Promise<void>>();
  return (architecture, notify) => {
    if (architecture === native || !known.has(architecture)) return Promise.resolve();
    let pending = preparing.get(architecture);
    if (pending === undefined) {
      pending = setup(["images", "emulation"], { onNotice: notify }, ["--arch", architecture]);
      preparing.set(architecture, pending);
      // What failed is tried again at the next need.
      pending.catch(() => preparing.delete(architecture));
    }
    return pending;
  };
}

/** The client with each image's platform prepared before the image is resolved. */
export function withPlatforms(client: BuildkitClient, prepare: PreparePlatform, notify: (text: string) => void): BuildkitClient {
  return override(client, {
    openBuild: async (options) => {
      const build = await client.openBuild(options);
      return override<Build>(build, {
        resolveImageConfig: async (reference, platform) => {
          await prepare(platform.split("/")[1] ?? "", notify);
          return build.resolveImageConfig(reference, platform);
        },
      });
    },
  });
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
