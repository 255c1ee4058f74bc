import { randomUUID } from "node:crypto";
import { chmod, mkdir, utimes } from "node:fs/promises";
import path from "node:path";
import type { Duplex } from "node:stream";
import { ApiError, refusedOffline } from "../values/errors.ts";
import { fetchFile } from "../network/fetch.ts";
import type { Call } from "../request/call.ts";
import type { HostTree } from "../values/values.ts";

export interface HttpFile {
  url: string;
  filename: string;
  /** Permission bits. */
  mode: number;
  /** `sha256:…`; another content is an error. */
  checksum?: string;
}

/** A folder with the one file that a URL answers with; a session asks once. Known to BuildKit by its content. */
export async function httpTree(call: Call, wanted: HttpFile): Promise<HostTree> {
  const { session, isBody } = call;
  if (session.options.offline === true) throw refusedOffline(wanted.url);
  const guarded = isBody ? "guarded" : "";
  // What a service answers may be something else each time.
  const isService = session.services.named(new URL(wanted.url).hostname) !== undefined;
  const key = `http ${guarded} ${JSON.stringify(wanted)}${isService ? randomUUID() : ""}`;
  return await session.once(key, call.signal, async () => {
    const folder = path.join(await session.temporaryFolder(), "http", randomUUID());
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, wanted.filename);
    const { caBundlePem: ca } = await session.options.hostTrust();
    const { sha256, lastModified = new Date(0) } = await fetchFile(wanted.url, {
      file,
      guarded: isBody,
      env: session.options.env,
      signal: call.signal,
      reach: (hostname, port) => reachService(call, hostname, port),
      ...(ca === undefined ? {} : { ca }),
    });
    if (wanted.checksum !== undefined && wanted.checksum !== `sha256:${sha256}`)
      throw new ApiError(`digest mismatch for ${wanted.url}: sha256:${sha256} is not ${wanted.checksum}`);
    await chmod(file, wanted.mode);
    await utimes(file, lastModified, lastModified);
    return await session.hostTrees.known(
      folder,
      `http ${wanted.url}`,
      `http-${sha256}-${wanted.mode.toString(8)}-${wanted.filename}`,
    );
  });
}

/** A service of this session by the name that containers have for it; started where it does not run. */
async function reachService({ session }: Call, hostname: string, port: number): Promise<Duplex | undefined> {
  // A name with a dot is somebody's on the network, whatever a service is called.
  const service = hostname.includes(".") ? undefined : session.services.named(hostname);
  if (service === undefined) return undefined;
  return await (await session.services.start(service)).dial(port);
}
