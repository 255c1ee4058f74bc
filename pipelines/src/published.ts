import { dag } from "@dagger.io/dagger";
import type { Platform, Secret } from "@dagger.io/dagger";

/** Returns the reference with its current digest; undefined if the registry does not have it or can't be reached. */
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

/** Prints a message to stderr, which the engine shows in the progress of the call. */
export function announce(text: string): void {
  console.error(`fastloop: ${text}`);
}
