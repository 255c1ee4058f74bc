import type { Build, BuildkitClient, BuildOptions, Ref } from "../buildkit/types.ts";

/** One gateway build with the results that it holds. */
export interface BuildLease {
  readonly build: Build;
  /** State digest -> its result in this build. */
  readonly refs: Map<string, Ref>;
}

interface Entry extends BuildLease {
  users: number;
  retired: boolean;
}

/**
 * The gateway builds of one session: normally one. BuildKit remembers a vertex that failed for as long as a build that
 * holds it lives, and would give the old error to a retry; so after a failure new work goes to a new build, and the old
 * one is closed when its last user is done.
 */
export class Builds {
  private readonly client: BuildkitClient;
  private readonly options: BuildOptions;
  private current: Promise<Entry> | undefined;
  private readonly open = new Set<Entry>();
  private closed = false;

  constructor(client: BuildkitClient, options: BuildOptions) {
    this.client = client;
    this.options = options;
  }

  async use<T>(work: (lease: BuildLease) => Promise<T>): Promise<T> {
    const entry = await this.entry();
    entry.users++;
    try {
      return await work(entry);
    } catch (error) {
      this.retire(entry);
      throw error;
    } finally {
      entry.users--;
      await this.closeIfUnused(entry);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.current?.catch(() => undefined);
    await Promise.all([...this.open].map((entry) => this.closeEntry(entry)));
  }

  private async entry(): Promise<Entry> {
    if (this.closed) throw new Error("the session is closed");
    if (this.current === undefined) {
      const opening = this.openEntry();
      this.current = opening;
      // A daemon that was not there may be there at the next try.
      opening.catch(() => {
        if (this.current === opening) this.current = undefined;
      });
    }
    return await this.current;
  }

  private async openEntry(): Promise<Entry> {
    const entry: Entry = { build: await this.client.openBuild(this.options), refs: new Map(), users: 0, retired: false };
    this.open.add(entry);
    return entry;
  }

  private retire(entry: Entry): void {
    if (entry.retired) return;
    entry.retired = true;
    this.current = undefined;
  }

  private async closeIfUnused(entry: Entry): Promise<void> {
    if (entry.retired && entry.users === 0) await this.closeEntry(entry);
  }

  private async closeEntry(entry: Entry): Promise<void> {
    if (!this.open.delete(entry)) return;
    await entry.build.close().catch(() => undefined);
  }
}
