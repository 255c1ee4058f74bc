import { randomBytes } from "node:crypto";
import type { Channel } from "../connection/channel.ts";
import { openContainer } from "../container/container.ts";
import { SolveError } from "../connection/errors.ts";
import { runExport } from "./export.ts";
import { runFrontend } from "./frontend.ts";
import { exportCache } from "./caches.ts";
import { Gateway } from "../gateway/gateway.ts";
import { bridge, type WireStat } from "../connection/messages.ts";
import type { ResultOwner, Results } from "../gateway/results.ts";
import { authServices, secretService } from "../session/credentials.ts";
import { openSession } from "../session/session.ts";
import { socketService } from "../session/socket-forward.ts";
import type { Build, BuildOptions, ImageConfig, Ref, RefStat } from "../types.ts";

/**
 * Opens the build through which one API session solves and reads. It consists of a session of its own and the solves
 * that share it.
 */
export function openBuild(channel: Channel, results: Results, options: BuildOptions): Build {
  const session = openSession(channel, randomBytes(12).toString("hex"), [
    secretService(options.secrets),
    ...authServices(options),
    ...(options.openSocket === undefined ? [] : socketService(options.openSocket)),
  ]);
  const owner: ResultOwner = {
    options: { sessionId: session.id },
    cacheImports: options.cacheImports,
    running: new Set(),
    onStatus: options.onStatus,
  };

  return {
    solve: (definition, { signal, onStatus } = {}) => results.solve(owner, definition, signal, onStatus),
    readFile: (ref: Ref, path: string, range?: { offset: number; length: number }) =>
      results.use(ref, (gateway, id) => readFile(gateway, { ref: id, filePath: path }, range)),
    readDir: (ref: Ref, path: string, includePattern = "") =>
      results.use(ref, async (gateway, id) => {
        const { entries } = await gateway.call(bridge.readDir, { ref: id, dirPath: path, includePattern });
        return entries.map(toRefStat);
      }),
    statFile: (ref: Ref, path: string) =>
      results.use(ref, async (gateway, id) => {
        const { stat } = await gateway.call(bridge.statFile, { ref: id, path });
        if (stat === null) throw new SolveError(`no stat of ${path}`, 5);
        return toRefStat(stat);
      }),
    resolveImageConfig: async (reference: string, platform: string) => {
      const [os = "linux", architecture = "", variant = ""] = platform.split("/");
      const gateway = new Gateway(channel, owner.options, options.onStatus);
      owner.running.add(gateway);
      try {
        const request = { ref: reference, platform: { os, architecture, variant }, logName: `resolve ${reference}` };
        const response = await gateway.call(bridge.resolveImageConfig, request);
        return {
          digest: response.digest,
          config: JSON.parse(response.config.toString("utf8")) as ImageConfig,
          ref: response.ref,
        };
      } finally {
        await gateway.finish({}).catch(() => gateway.end());
        owner.running.delete(gateway);
      }
    },
    solveFrontend: (request, frontendOptions) => runFrontend(channel, owner, request, frontendOptions),
    openContainer: (request, containerOptions) => openContainer(channel, owner, request, containerOptions),
    export: (request, { signal, onStatus = options.onStatus } = {}) =>
      runExport(channel, { ...options, onStatus }, owner.running, request, signal),
    exportCache: (definitions, cache, signal) => exportCache(channel, owner, definitions, cache, signal),
    close: async () => {
      await results.releaseOwner(owner);
      void session.close();
    },
  };
}

/** The daemon's responses are limited to 16 MiB, so larger files are read in pieces. */
const READ_BYTES = 8 * 1024 * 1024;

async function readFile(
  gateway: Gateway,
  file: { ref: string; filePath: string },
  { offset, length }: { offset: number; length: number } = { offset: 0, length: Number.MAX_SAFE_INTEGER },
): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for (let read = 0; read < length;) {
    const range = { offset: offset + read, length: Math.min(READ_BYTES, length - read) };
    const { data } = await gateway.call(bridge.readFile, { ...file, range });
    pieces.push(data);
    read += data.length;
    if (data.length < range.length) break;
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
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
