import type { Config } from "../../config/index.ts";

/**
 * Settings that a watch reads only when it starts: its engine session and its source of file events are not replaced.
 */
const keys: Readonly<Record<string, (config: Config) => unknown>> = {
  "engine.use": ({ engine }) => engine?.use,
  "engine.buildkit": ({ engine }) => engine?.buildkit,
  "engine.idle": ({ engine }) => engine?.idle,
  cache: ({ cache }) => cache,
  "watch.debounce": ({ watch }) => watch?.debounce,
  "watch.poll": ({ watch }) => watch?.poll,
  "watch.pollInterval": ({ watch }) => watch?.pollInterval,
};

/** Reports which settings of fastloop.yaml changed that a running watch cannot apply. */
export class UnappliedSettings {
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
