import type { HistoryEntry } from "./history.ts";
import { shortDigest } from "./kept.ts";

/** So many records are read in the search for digests before the history is asked: to read that costs as much. */
const recordsBeforeHistory = 500;

/** What the history knows of the digests of records, so that those of others need not be read. */
export class KnownDigests {
  private readonly history: () => readonly HistoryEntry[];
  private asked = 0;
  /** The beginning of each run's digest, by its id. Of what is added later the records are in memory. */
  private known: Map<string, string> | undefined;

  constructor(history: () => readonly HistoryEntry[]) {
    this.history = history;
  }

  /** Whether the record with this id is not of this digest; false where that is not known. */
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
