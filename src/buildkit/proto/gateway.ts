/** BuildKit's gateway API (package `moby.buildkit.v1.frontend`), and the stat that it returns. */
export const gatewayProto = `
syntax = "proto3";
package gateway;

message Result {
  oneof result { string refDeprecated = 1; Ref ref = 3; RefMap refs = 4; }
  map<string, bytes> metadata = 10;
}
message Ref { string id = 1; pb.Definition def = 2; }
message RefMap { map<string, Ref> refs = 1; }
message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
message Any { string typeUrl = 1; bytes value = 2; }

message PingRequest {}
message PongResponse {}
message ReturnRequest { Result result = 1; Status error = 2; }
message ReturnResponse {}
message SolveRequest {
  pb.Definition definition = 1; string frontend = 2; map<string, string> frontendOpt = 3; bool allowResultReturn = 5;
  bool allowResultArrayRef = 6; bool final = 10; repeated control.CacheEntry cacheImports = 12;
  map<string, pb.Definition> frontendInputs = 13;
}
message SolveResponse { string ref = 1; Result result = 3; }
message EvaluateRequest { string ref = 1; }
message EvaluateResponse {}
message ResolveImageConfigRequest {
  string ref = 1; pb.Platform platform = 2; string resolveMode = 3; string logName = 4; int32 resolverType = 5;
  string sessionId = 6; string storeId = 7;
}
message ResolveImageConfigResponse { string digest = 1; bytes config = 2; string ref = 3; }
message ReadFileRequest { string ref = 1; string filePath = 2; FileRange range = 3; }
message FileRange { int64 offset = 1; int64 length = 2; }
message ReadFileResponse { bytes data = 1; }
message ReadDirRequest { string ref = 1; string dirPath = 2; string includePattern = 3; }
message ReadDirResponse { repeated Stat entries = 1; }
message StatFileRequest { string ref = 1; string path = 2; }
message StatFileResponse { Stat stat = 1; }
message Stat {
  string path = 1; uint32 mode = 2; uint32 uid = 3; uint32 gid = 4; int64 size = 5; int64 modTime = 6; string linkname = 7;
  int64 devmajor = 8; int64 devminor = 9;
}

message NewContainerRequest {
  string containerId = 1; repeated pb.Mount mounts = 2; pb.NetMode network = 3; pb.Platform platform = 4;
  repeated pb.HostIP extraHosts = 6; string hostname = 7;
}
message NewContainerResponse {}
message ReleaseContainerRequest { string containerId = 1; }
message ReleaseContainerResponse {}
message ExecMessage {
  string processId = 1;
  oneof input {
    InitMessage init = 2; FdMessage file = 3; ResizeMessage resize = 4; StartedMessage started = 5; ExitMessage exit = 6;
    DoneMessage done = 7; SignalMessage signal = 8;
  }
}
message InitMessage { string containerId = 1; pb.Meta meta = 2; repeated uint32 fds = 3; bool tty = 4; pb.SecurityMode security = 5; repeated pb.SecretEnv secretEnv = 6; }
message FdMessage { uint32 fd = 1; bool eof = 2; bytes data = 3; }
message ResizeMessage { uint32 rows = 1; uint32 cols = 2; }
message StartedMessage {}
message ExitMessage { uint32 code = 1; Status error = 2; }
message DoneMessage {}
message SignalMessage { string name = 1; }
`;
