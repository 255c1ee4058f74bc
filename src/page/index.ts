/** Web page of `watch` and `up`: its content, the server on loopback, and the file that can be sent. */
import { writeFileSync } from "node:fs";
import { showInBrowser } from "./browser.ts";
import { LoopSource, type LoopPageOptions, type PageLoop } from "./sources/loop-source.ts";
import { servePage } from "./server.ts";
import { snapshotHtml } from "./snapshot.ts";
import type { PageSource } from "./source.ts";
import { UpSource, type PageUp } from "./sources/up-source.ts";

export type { LoopPageOptions, PageLoop, PageUp };

/** A page that can be opened and saved. Nothing listens before `open`. */
export class Page {
  private readonly source: PageSource;
  private server: ReturnType<typeof servePage> | undefined;
  private readonly cleanUps: (() => void)[] = [];

  constructor(source: PageSource) {
    this.source = source;
  }

  /** Starts the server once, opens the page in a browser if there is one, and returns the address. */
  async open({ env, browser }: { env: NodeJS.ProcessEnv; browser: boolean }): Promise<string> {
    this.server ??= servePage(this.source);
    const { url } = await this.server;
    if (browser) this.cleanUps.push(showInBrowser(url, env));
    return url;
  }

  /** Writes the page to a file that opens without a server. */
  save(file: string): void {
    writeFileSync(file, snapshotHtml(this.source), { mode: 0o600 });
  }

  close(): void {
    for (const cleanUp of this.cleanUps.splice(0)) cleanUp();
    void this.server?.then((server) => server.close());
    this.source.close();
  }
}

/** Creates the page of a watch or a run. */
export const pageOfLoop = (loop: PageLoop, options: LoopPageOptions): Page => new Page(new LoopSource(loop, options));

/** Creates the page of services that are up. */
export const pageOfUp = (up: PageUp, options: LoopPageOptions): Page => new Page(new UpSource(up, options));
