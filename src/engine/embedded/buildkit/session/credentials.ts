import { codec } from "../proto/codec.ts";
import type { BuildOptions, SecretStore } from "../types.ts";
import { type Handler, StatusCode, StatusError, unary } from "./grpc-server.ts";

const secretRequest = codec<{ id: string }>("session.GetSecretRequest");
const secretResponse = codec<{ data: Uint8Array }>("session.GetSecretResponse");
const credentialsRequest = codec<{ host: string }>("session.CredentialsRequest");
const credentialsResponse = codec<{ username: string; secret: string }>("session.CredentialsResponse");

/** Secrets go from the store to the exec that mounts them, through no file and no log. */
export function secretService(store: SecretStore): [string, Handler] {
  const handler = unary(secretRequest.decode, secretResponse.encode, async ({ id }) => {
    const data = await store.get(id);
    if (data === undefined) throw new StatusError(StatusCode.notFound, `no secret with the id ${id}`);
    return { data };
  });
  return ["/moby.buildkit.secrets.v1.Secrets/GetSecret", handler];
}

/**
 * Registry credentials. Only `Credentials` is served: without the token methods BuildKit fetches the tokens itself.
 */
export function authService(registryAuth: BuildOptions["registryAuth"]): [string, Handler] {
  const handler = unary(credentialsRequest.decode, credentialsResponse.encode, async ({ host }) => {
    return (await registryAuth(host)) ?? { username: "", secret: "" };
  });
  return ["/moby.filesync.v1.Auth/Credentials", handler];
}
