import { dag } from "@dagger.io/dagger";
import type { Container } from "@dagger.io/dagger";
import { helper } from "./images.ts";
import type { Lock } from "./lock.ts";

/**
 * A cache volume in which every layer of the dev image writes a line when it really runs. It is in no layer and in no
 * cache key, so it tells hit from miss without changing either.
 */
const journalFolder = "/.fastloop-journal";
const volume = (project: string) => dag.cacheVolume(`fastloop-journal-${project}`);

/** Mounts the journal for a step. */
export const withJournal = (container: Container, project: string): Container =>
  container.withMountedCache(journalFolder, volume(project));
export const withoutJournal = (container: Container): Container => container.withoutMount(journalFolder);

/** The shell command by which a layer notes that it runs. */
export const note = (layer: string, text = "ran"): string => `echo ${text} >> ${journalFolder}/${layer}`;

/** The lines of each layer so far. `nonce` makes the reading a step of its own. */
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

/** Appends one line. */
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
