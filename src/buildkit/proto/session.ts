/**
 * Services that BuildKit calls on a client's session: secrets and registry credentials. (File sync is in
 * `fsutil/packet.ts`.)
 */
export const sessionProto = `
syntax = "proto3";
package session;

message Empty {}
message BytesMessage { bytes data = 1; }
message GetSecretRequest { string id = 1; }
message GetSecretResponse { bytes data = 1; }
message CredentialsRequest { string host = 1; }
message CredentialsResponse { string username = 1; string secret = 2; }
message FetchTokenRequest { string clientId = 1; string host = 2; string realm = 3; string service = 4; repeated string scopes = 5; }
message FetchTokenResponse { string token = 1; int64 expiresIn = 2; int64 issuedAt = 3; }
message GetTokenAuthorityRequest { string host = 1; bytes salt = 2; }
message GetTokenAuthorityResponse { bytes publicKey = 1; }
message VerifyTokenAuthorityRequest { string host = 1; bytes payload = 2; bytes salt = 3; }
message VerifyTokenAuthorityResponse { bytes signed = 1; }
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
`;
