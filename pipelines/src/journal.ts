import { dag } from "@dagger.io/dagger";
import type { Container } from "@dagger.io/dagger";
import { helper } from "./images.ts";
import type { Lock } from "./lock.ts";

/**
 * Mount point of the journal, a cache volume to which each layer of the dev image appends a line when it runs. Cache
 * volumes are in no layer and no cache key, so the journal tells hits from misses without affecting them.
 */
const journalFolder = "/.fastloop-journal";
const volume = (project: string) => dag.cacheVolume(`fastloop-journal-${project}`);

/** Mounts the journal. */
export const withJournal = (container: Container, project: string): Container =>
  container.withMountedCache(journalFolder, volume(project));
export const withoutJournal = (container: Container): Container => container.withoutMount(journalFolder);

/** Returns the shell command that appends a line to a layer's journal. */
export const note = (layer: string, text = "ran"): string => `echo ${text} >> ${journalFolder}/${layer}`;

/** Returns the journal's lines by layer. `nonce` must be unique, so that the read is not answered from the cache. */
export async function readJournal(project: string, lock: Lock, nonce: string): Promise<Record<string, string[]>> {
  const script = `cd ${journalFolder} && for f in *; do [ -f "$f" ] && sed "s|^|$f |" "$f"; done; true`;
  const text = await withJournal(helper(lock), project)
    .withEnvVariable("FASTLOOP_NONCE", nonce)
    .withExec(["sh", "-ec", script])
    .stdout();
  const journal: Record<string, string[]> = {};
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const space = line.indexOf(" ");
    (journal[line.slice(0, space)] ??= []).push(line.slice(space + 1));
  }
  return journal;
}

/** Appends a line to a layer's journal. `nonce` must be unique, as for `readJournal`. */
export async function writeJournal(
  project: string,
  lock: Lock,
  layer: string,
  text: string,
  nonce: string,
): Promise<void> {
  await withJournal(helper(lock), project)
    .withEnvVariable("FASTLOOP_NONCE", nonce)
    .withExec(["sh", "-ec", note(layer, text)])
    .sync();
}
