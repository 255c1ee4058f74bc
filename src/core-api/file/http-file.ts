import { randomUUID } from "node:crypto";
import { chmod, mkdir, utimes } from "node:fs/promises";
import path from "node:path";
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
  return await session.once(`http ${guarded} ${JSON.stringify(wanted)}`, call.signal, async () => {
    const folder = path.join(await session.temporaryFolder(), "http", randomUUID());
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, wanted.filename);
    const { caBundlePem: ca } = await session.options.hostTrust();
    const { sha256, lastModified = new Date(0) } = await fetchFile(wanted.url, {
      file,
      guarded: isBody,
      env: session.options.env,
      signal: call.signal,
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
