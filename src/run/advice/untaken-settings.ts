import type { Config } from "../../config/index.ts";

/** What a watch reads at its start only: the engine's session and the source of file events stay what they are. */
const keys: Readonly<Record<string, (config: Config) => unknown>> = {
  "engine.use": ({ engine }) => engine?.use,
  "engine.buildkit": ({ engine }) => engine?.buildkit,
  "engine.idle": ({ engine }) => engine?.idle,
  cache: ({ cache }) => cache,
  "watch.debounce": ({ watch }) => watch?.debounce,
  "watch.poll": ({ watch }) => watch?.poll,
  "watch.pollInterval": ({ watch }) => watch?.pollInterval,
};

/** Says which settings of fastloop.yaml changed that a running watch can't take over. */
export class UntakenSettings {
  private readonly start: Config;

  constructor(start: Config) {
    this.start = start;
  }

  texts(now: Config): string[] {
    const changed = Object.entries(keys).filter(([, of]) => JSON.stringify(of(now)) !== JSON.stringify(of(this.start)));
    return changed.map(
      ([name]) =>
        `${name} was changed: this watch goes on with what it started with; start it again to use the new value`,
    );
  }
}
