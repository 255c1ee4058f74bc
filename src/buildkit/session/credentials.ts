import { createHmac, createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from "node:crypto";
import { codec } from "../proto/codec.ts";
import type { BuildOptions, SecretStore, TokenRequest } from "../types.ts";
import { type Handler, StatusCode, StatusError, unary } from "./grpc-server.ts";

const secretRequest = codec<{ id: string }>("session.GetSecretRequest");
const secretResponse = codec<{ data: Uint8Array }>("session.GetSecretResponse");
const credentialsRequest = codec<{ host: string }>("session.CredentialsRequest");
const credentialsResponse = codec<{ username: string; secret: string }>("session.CredentialsResponse");

const authorityRequest = codec<{ host: string; salt: Uint8Array }>("session.GetTokenAuthorityRequest");
const authorityResponse = codec<{ publicKey: Uint8Array }>("session.GetTokenAuthorityResponse");
const verifyRequest = codec<{ host: string; payload: Uint8Array; salt: Uint8Array }>(
  "session.VerifyTokenAuthorityRequest",
);
const verifyResponse = codec<{ signed: Uint8Array }>("session.VerifyTokenAuthorityResponse");
const tokenRequest = codec<TokenRequest>("session.FetchTokenRequest");
const tokenResponse = codec<{ token: string; expiresIn: number; issuedAt: number }>("session.FetchTokenResponse");

/** Serves secrets directly from the store to the exec that mounts them. They pass through no file and no log. */
export function secretService(store: SecretStore): [string, Handler] {
  const handler = unary(secretRequest.decode, secretResponse.encode, async ({ id }, signal) => {
    const data = await store.get(id, signal);
    if (data === undefined) throw new StatusError(StatusCode.notFound, `no secret with the id ${id}`);
    return { data };
  });
  return ["/moby.buildkit.secrets.v1.Secrets/GetSecret", handler];
}

/**
 * Serves registry credentials. Where a password is known, this process fetches the registry's token, so that it
 * controls who receives the password. Otherwise BuildKit fetches tokens itself.
 */
export function authServices({
  registryAuth,
  registryToken,
}: Pick<BuildOptions, "registryAuth" | "registryToken">): [string, Handler][] {
  const seed = randomBytes(32);
  const keyOf = (host: string, salt: Uint8Array): KeyObject =>
    privateKey(createHmac("sha256", seed).update(salt).update(host).digest());
  return [
    [
      "/moby.filesync.v1.Auth/Credentials",
      unary(
        credentialsRequest.decode,
        credentialsResponse.encode,
        async ({ host }) => (await registryAuth(host)) ?? { username: "", secret: "" },
      ),
    ],
    [
      "/moby.filesync.v1.Auth/GetTokenAuthority",
      unary(authorityRequest.decode, authorityResponse.encode, async ({ host, salt }) => {
        if ((await registryAuth(host)) === undefined)
          throw new StatusError(StatusCode.unavailable, `no password is known for ${host}`);
        return { publicKey: createPublicKey(keyOf(host, salt)).export({ format: "der", type: "spki" }).subarray(-32) };
      }),
    ],
    [
      "/moby.filesync.v1.Auth/VerifyTokenAuthority",
      unary(verifyRequest.decode, verifyResponse.encode, async ({ host, salt, payload }) => ({
        signed: Buffer.concat([sign(null, payload, keyOf(host, salt)), payload]),
      })),
    ],
    [
      "/moby.filesync.v1.Auth/FetchToken",
      unary(tokenRequest.decode, tokenResponse.encode, async ({ host, realm, service, scopes }) => {
        const { token, expiresInSeconds, issuedAtSeconds } = await registryToken({ host, realm, service, scopes });
        return { token, expiresIn: expiresInSeconds, issuedAt: issuedAtSeconds };
      }),
    ],
  ];
}

/** DER prefix of a 32-byte Ed25519 key. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
}
