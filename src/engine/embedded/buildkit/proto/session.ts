/** What BuildKit calls on a client's session: secrets and registry credentials. (File sync is in `fsutil/packet.ts`.) */
export const sessionProto = `
syntax = "proto3";
package session;

message Empty {}
message BytesMessage { bytes data = 1; }
message GetSecretRequest { string id = 1; }
message GetSecretResponse { bytes data = 1; }
message CredentialsRequest { string host = 1; }
message CredentialsResponse { string username = 1; string secret = 2; }
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
`;
