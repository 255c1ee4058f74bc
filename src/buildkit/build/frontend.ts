import type { Channel } from "../connection/channel.ts";
import { entitlementsOf } from "../gateway/entitlements.ts";
import { Gateway } from "../gateway/gateway.ts";
import { bridge } from "../connection/messages.ts";
import type { ResultOwner } from "../gateway/results.ts";
import type { FrontendRequest, FrontendResult, ImageConfig, StatusUpdate } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

/** Runs one of the daemon's frontends, which returns a definition. Only what the frontend reads is evaluated. */
export async function runFrontend(
  channel: Channel,
  owner: ResultOwner,
  request: FrontendRequest,
  { signal, onStatus }: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void } = {},
): Promise<FrontendResult> {
  const gateway = new Gateway(
    channel,
    { ...owner.options, entitlements: entitlementsOf(Object.values(request.inputs)) },
    onStatus ?? owner.onStatus,
  );
  owner.running.add(gateway);
  try {
    const { result } = await gateway.call(
      bridge.solveFrontend,
      {
        frontend: request.frontend,
        frontendOpt: request.options,
        frontendInputs: request.inputs,
        allowResultReturn: true,
        allowResultArrayRef: true,
      },
      { signal },
    );
    const config = result?.metadata?.["containerimage.config"];
    return {
      definition: plain(result?.ref?.def),
      ...(config === undefined ? {} : { config: JSON.parse(Buffer.from(config).toString("utf8")) as ImageConfig }),
    };
  } finally {
    await gateway.finish({}).catch(() => gateway.end());
    owner.running.delete(gateway);
  }
}

/** Drops the fields that are not set. A decoded message has every field of the protocol. */
function plain(definition: Definition | null | undefined): Definition | undefined {
  if (definition === undefined || definition === null || definition.def.length === 0) return undefined;
  const metadata: Definition["metadata"] = {};
  for (const [digest, { description, ignoreCache }] of Object.entries(definition.metadata ?? {})) {
    metadata[digest] = {
      ...(description === undefined || Object.keys(description).length === 0 ? {} : { description }),
      ...(ignoreCache === true ? { ignoreCache } : {}),
    };
  }
  return { def: definition.def, metadata };
}
