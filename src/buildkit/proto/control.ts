/** BuildKit's control API (package `moby.buildkit.v1`): the messages and fields used here. */
export const controlProto = `
syntax = "proto3";
package control;

message Timestamp { int64 seconds = 1; int32 nanos = 2; }

message InfoRequest {}
message InfoResponse { BuildkitVersion buildkitVersion = 1; }
message BuildkitVersion { string package = 1; string version = 2; string revision = 3; }
message ListWorkersRequest { repeated string filter = 1; }
message ListWorkersResponse { repeated WorkerRecord record = 1; }
message WorkerRecord { string id = 1; map<string, string> labels = 2; repeated pb.Platform platforms = 3; }

message SolveRequest {
  string ref = 1; pb.Definition definition = 2; string session = 5; string frontend = 6; CacheOptions cache = 8;
  repeated string entitlements = 9; bool internal = 11; repeated Exporter exporters = 13;
}
message Exporter { string type = 1; map<string, string> attrs = 2; }
message CacheOptions { repeated CacheEntry exports = 4; repeated CacheEntry imports = 5; }
message CacheEntry { string type = 1; map<string, string> attrs = 2; }
message SolveResponse { map<string, string> exporterResponse = 1; }

message StatusRequest { string ref = 1; }
message StatusResponse { repeated Vertex vertexes = 1; repeated VertexStatus statuses = 2; repeated VertexLog logs = 3; repeated VertexWarning warnings = 4; }
message Vertex {
  string digest = 1; repeated string inputs = 2; string name = 3; bool cached = 4; Timestamp started = 5;
  Timestamp completed = 6; string error = 7;
}
message VertexStatus { string id = 1; string vertex = 2; string name = 3; int64 current = 4; int64 total = 5; Timestamp timestamp = 6; Timestamp started = 7; Timestamp completed = 8; }
message VertexLog { string vertex = 1; Timestamp timestamp = 2; int64 stream = 3; bytes msg = 4; }
message VertexWarning { string vertex = 1; int64 level = 2; bytes short = 3; }

message PruneRequest { repeated string filter = 1; bool all = 2; int64 keepDuration = 3; int64 reservedSpace = 4; int64 maxUsedSpace = 5; int64 minFreeSpace = 6; }
message DiskUsageRequest { repeated string filter = 1; int64 ageLimit = 2; }
message DiskUsageResponse { repeated UsageRecord record = 1; }
message UsageRecord {
  string id = 1; bool mutable = 2; bool inUse = 3; int64 size = 4; Timestamp createdAt = 6; Timestamp lastUsedAt = 7;
  int64 usageCount = 8; string description = 9; string recordType = 10; bool shared = 11; repeated string parents = 12;
}
`;
