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
  /** Permission bits of the file. */
  mode: number;
  /** `sha256:…`; content with another digest is an error. */
  checksum?: string;
}

/**
 * Fetches a URL, once per session, into a folder with this one file. BuildKit identifies the folder by the file's
 * content, mode and name. Throws an `ApiError` in an offline session, when the fetch fails, or when the checksum
 * differs.
 */
export async function httpTree(call: Call, wanted: HttpFile): Promise<HostTree> {
  const { session, isBody } = call;
  if (session.options.offline === true) throw refusedOffline(wanted.url);
  const guarded = isBody ? "guarded" : "";
  // A service may answer differently each time, so its answers are not shared.
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

/**
 * Dials a service of this session by the hostname that containers use, and starts it if it does not run. Returns
 * undefined for any other host.
 */
async function reachService({ session }: Call, hostname: string, port: number): Promise<Duplex | undefined> {
  // A name with a dot belongs to a host on the network, even if a service has the same name.
  const service = hostname.includes(".") ? undefined : session.services.named(hostname);
  if (service === undefined) return undefined;
  return await (await session.services.start(service)).dial(port);
}
