import { randomBytes } from "node:crypto";
import type { Channel } from "./channel.ts";
import { Gateway } from "./gateway.ts";
import { bridge, type WireStat } from "./messages.ts";
import { authService, secretService } from "./session/credentials.ts";
import { openSession } from "./session/session.ts";
import { followStatus } from "./status.ts";
import type { Build, BuildOptions, Definition, ImageConfig, Ref, RefStat } from "./types.ts";
import { SolveError } from "./errors.ts";

/** Opens the long-lived build through which one API session solves and reads. */
export async function openBuild(channel: Channel, options: BuildOptions): Promise<Build> {
  const session = openSession(channel, randomBytes(12).toString("hex"), [
    secretService(options.secrets),
    authService(options.registryAuth),
  ]);
  const gateway = new Gateway(channel, { sessionId: session.id });
  try {
    await gateway.ready();
  } catch (error) {
    session.close();
    throw error;
  }
  const status = followStatus(channel, gateway.ref, options.onStatus);

  return {
    solve: (definition: Definition, { signal } = {}) => gateway.solve(definition, signal),
    readFile: async (ref: Ref, path: string, range?: { offset: number; length: number }) => {
      const { data } = await gateway.call(bridge.readFile, { ref: ref.id, filePath: path, ...(range === undefined ? {} : { range }) });
      return data;
    },
    readDir: async (ref: Ref, path: string, includePattern = "") => {
      const { entries } = await gateway.call(bridge.readDir, { ref: ref.id, dirPath: path, includePattern });
      return entries.map(toRefStat);
    },
    statFile: async (ref: Ref, path: string) => {
      const { stat } = await gateway.call(bridge.statFile, { ref: ref.id, path });
      if (stat === null) throw new SolveError(`no stat of ${path}`, 5);
      return toRefStat(stat);
    },
    resolveImageConfig: async (reference: string, platform: string) => {
      const [os = "linux", architecture = "", variant = ""] = platform.split("/");
      const response = await gateway.call(bridge.resolveImageConfig, {
        ref: reference,
        platform: { os, architecture, variant },
        logName: `resolve ${reference}`,
      });
      return { digest: response.digest, config: JSON.parse(response.config.toString("utf8")) as ImageConfig, ref: response.ref };
    },
    export: () => Promise.reject(new Error("not yet")),
    close: async () => {
      await gateway.finish({}).catch(() => gateway.abort());
      await gateway.ended();
      await status.done;
      session.close();
    },
  };
}

function toRefStat(stat: WireStat): RefStat {
  return {
    path: stat.path,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: Number(stat.size),
    modTime: BigInt(stat.modTime),
    linkname: stat.linkname,
  };
}
