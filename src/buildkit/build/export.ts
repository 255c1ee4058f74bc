import { randomBytes } from "node:crypto";
import type { Channel } from "../connection/channel.ts";
import { entitlementsOf } from "../gateway/entitlements.ts";
import { Gateway, type GatewayOptions } from "../gateway/gateway.ts";
import type { ResultMessage } from "../connection/messages.ts";
import { authServices, secretService } from "../session/credentials.ts";
import { exportService } from "../session/export-sink.ts";
import { openSession } from "../session/session.ts";
import type { BuildOptions, ExportRequest } from "../types.ts";

/**
 * Solves the request's results in a build of their own, whose result the daemon exports. A single result is exported as
 * it is. Several are exported as a map from platform to result, which becomes an image index or one folder per
 * platform.
 */
export async function runExport(
  channel: Channel,
  options: BuildOptions,
  running: Set<Gateway>,
  request: ExportRequest,
  signal?: AbortSignal,
): Promise<Record<string, string>> {
  signal?.throwIfAborted();
  const session = openSession(channel, randomBytes(12).toString("hex"), [
    secretService(options.secrets),
    ...authServices(options),
    ...exportService(request.sink),
  ]);
  const gatewayOptions: GatewayOptions = {
    sessionId: session.id,
    exporters: [{ type: request.type, attributes: exporterAttributes(request) }],
    cacheImports: await options.cacheImports?.(),
    entitlements: entitlementsOf(request.results.map(({ definition }) => definition)),
  };
  const gateway = new Gateway(channel, gatewayOptions, options.onStatus);
  running.add(gateway);
  try {
    const result = await solveAll(gateway, request, signal);
    const response = await gateway.finish(result, signal);
    await gateway.status.done;
    return response;
  } catch (error) {
    void gateway.abort();
    throw error;
  } finally {
    running.delete(gateway);
    void session.close();
  }
}

function exporterAttributes(request: ExportRequest): Record<string, string> {
  const { sink, attributes } = request;
  // With this mode the daemon sends all platforms as one tree. Without it, each platform's transfer would remove the
  // files of the others.
  return sink.kind === "directory" && sink.wipe === true ? { ...attributes, mode: "delete" } : attributes;
}

async function solveAll(gateway: Gateway, request: ExportRequest, signal?: AbortSignal): Promise<ResultMessage> {
  const solved = await Promise.all(
    request.results.map(async (result) => ({
      ...result,
      id: (await gateway.solve(result.definition, signal))?.id ?? "",
    })),
  );
  const [first] = solved;
  if (first === undefined) throw new Error("an export needs a result");
  if (solved.length === 1) {
    return {
      ref: { id: first.id },
      metadata: first.config === undefined ? {} : { "containerimage.config": json(first.config) },
    };
  }

  const refs: Record<string, { id: string }> = {};
  const metadata: Record<string, Uint8Array> = {};
  const platforms: { ID: string; Platform: object }[] = [];
  for (const { platform = "", id, config } of solved) {
    const [os, architecture, variant] = platform.split("/");
    refs[platform] = { id };
    platforms.push({ ID: platform, Platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } });
    if (config !== undefined) metadata[`containerimage.config/${platform}`] = json(config);
  }
  metadata["refs.platforms"] = json({ Platforms: platforms });
  return { refs: { refs }, metadata };
}

function json(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
