import type { HistoryEntry } from "./history.ts";
import { shortDigest } from "./retention.ts";

/** Number of records read in a search for digests before the history is read, which costs about as much. */
const recordsBeforeHistory = 500;

/** Digests of runs as the history knows them, so that a search need not read records with other digests. */
export class KnownDigests {
  private readonly history: () => readonly HistoryEntry[];
  private asked = 0;
  /** Beginning of each run's digest, by run id. Records that are added later are in memory anyway. */
  private known: Map<string, string> | undefined;

  constructor(history: () => readonly HistoryEntry[]) {
    this.history = history;
  }

  /** Reports whether this record is known to have another digest; false if nothing is known. */
  isOther(id: string, digest: string): boolean {
    if (this.asked < recordsBeforeHistory) {
      this.asked++;
      return false;
    }
    this.known ??= new Map(this.history().map((entry) => [entry.id, entry.digest]));
    const known = this.known.get(id);
    return known !== undefined && known !== shortDigest(digest);
  }
}
