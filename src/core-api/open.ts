import type { GraphQLSchema } from "graphql";
import { executeRequest } from "./request/execute.ts";
import type { ApiSession, ApiSessionOptions } from "./options.ts";
import { buildApiSchema } from "./schema/schema.ts";
import { newCall } from "./request/call.ts";
import { liveMark } from "./service/live.ts";
import { hostnameOf } from "./service/names.ts";
import { newSession } from "./session.ts";
import { ApiError } from "./values/errors.ts";
import type { Service } from "./values/values.ts";

let schema: GraphQLSchema | undefined;

/**
 * Opens a session with objects, snapshots and secrets of its own. Throws an `ApiError` when the BuildKit daemon has no
 * worker.
 */
export async function openApiSession(options: ApiSessionOptions): Promise<ApiSession> {
  const session = await newSession(options);
  const served = (schema ??= buildApiSchema());
  return {
    execute: (request, { callId, signal, isBody, isRead }) =>
      executeRequest(
        served,
        request,
        newCall(session, { callId, signal, isBody: isBody ?? false, ...(isRead === undefined ? {} : { isRead }) }),
      ),
    exportCaches: (signal) => session.exportCaches(signal),
    connectTerminal: (id, line) => session.terminals.connect(id, line),
    connectLive: async (id) => {
      const { live } = await session.services.running(session.ids.load(id, "Service") as Service);
      if (live === undefined) throw new ApiError("nobody works on the services of this session");
      return live();
    },
    liveMark: (id) => liveMark(session, hostnameOf(session.ids.load(id, "Service") as Service)),
    close: () => session.close(),
  };
}
