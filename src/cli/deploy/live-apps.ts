/** What runs beside the deploys of `deploy --watch`: port forwards and the logs of the apps' pods. */
import { Cluster, followLogs, openForward, type HostAccess } from "../../deploy/index.ts";
import type { CliContext } from "../context.ts";
import { asUserError, type ChosenEnvironment, type ClusterFlags } from "./environment.ts";

/** Keeps forwards and logs running between deploys. */
export class LiveApps {
  private readonly context: CliContext;
  private cluster: Cluster | undefined;
  private readonly forwards = new Map<string, Promise<{ close: () => void }>>();
  private readonly logs = new Map<string, AbortController>();
  private isClosed = false;

  constructor(context: CliContext) {
    this.context = context;
  }

  /**
   * Opens forwards and logs that the configuration added, and closes forwards that it removed. From now on these
   * credentials are used.
   */
  use({ config, settings }: ChosenEnvironment, { access }: HostAccess, flags: ClusterFlags): void {
    const namespace = settings.namespace ?? flags.namespace ?? access.namespace;
    if (namespace === undefined || this.isClosed) return;
    this.cluster?.close();
    this.cluster = new Cluster(access);
    const apps = Object.entries(config.config.deploy?.apps ?? {}).filter(([app]) => flags.app?.includes(app) ?? true);
    const wanted = apps.flatMap(([app, { forward = [] }]) =>
      forward.map((text) => ({ app, text, key: `${app} ${text}` })),
    );
    for (const [key, forward] of this.forwards) {
      if (wanted.some((each) => each.key === key)) continue;
      void forward.then(({ close }) => close()).catch(() => undefined);
      this.forwards.delete(key);
    }
    for (const { app, text, key } of wanted) if (!this.forwards.has(key)) this.forward(app, namespace, text, key);
    for (const [app] of apps) if (!this.logs.has(app)) this.follow(app, namespace);
  }

  close(): void {
    this.isClosed = true;
    for (const log of this.logs.values()) log.abort();
    for (const forward of this.forwards.values()) void forward.then(({ close }) => close()).catch(() => undefined);
    this.cluster?.close();
  }

  private forward(app: string, namespace: string, text: string, key: string): void {
    const opening = openForward(text, {
      ...this.common(app, namespace),
      onLine: (line) => this.tell("forward", app, line),
    });
    this.forwards.set(key, opening);
    // Removed from the map, so that the next deploy tries the port again.
    opening.catch((error: unknown) => {
      this.forwards.delete(key);
      this.context.fail(asUserError(error));
    });
  }

  private follow(app: string, namespace: string): void {
    const log = new AbortController();
    this.logs.set(app, log);
    void followLogs({
      ...this.common(app, namespace),
      signal: log.signal,
      onLine: (line) => this.tell("log", app, line),
    });
  }

  private common(app: string, namespace: string) {
    return {
      app,
      namespace,
      cluster: (): Cluster => {
        if (this.cluster === undefined) throw new Error("there is no cluster yet");
        return this.cluster;
      },
    };
  }

  private tell(event: "forward" | "log", app: string, text: string): void {
    if (this.context.options.json) this.context.printJson({ event, app, text });
    else this.context.notice(text);
  }
}
