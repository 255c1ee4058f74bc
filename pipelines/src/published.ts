import { dag } from "@dagger.io/dagger";
import type { Platform, Secret } from "@dagger.io/dagger";

/** The reference with its digest, as the registry answers it now; undefined where it has none or can't be reached. */
export async function resolveReference(
  reference: string,
  platform?: Platform,
  auth: { username?: string; password?: Secret } = {},
): Promise<string | undefined> {
  let container = dag.container(platform === undefined ? undefined : { platform });
  if (auth.username !== undefined && auth.password !== undefined)
    container = container.withRegistryAuth(reference, auth.username, auth.password);
  try {
    return await container.from(reference).imageRef();
  } catch {
    return undefined;
  }
}

/** What a function says while it works; the engine shows a module's stderr in its progress. */
export function announce(text: string): void {
  console.error(`fastloop: ${text}`);
}
