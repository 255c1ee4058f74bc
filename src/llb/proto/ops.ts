/** LLB operations (BuildKit's package `pb`): the messages and fields used here, with BuildKit's field numbers. */
export const opsProto = `
syntax = "proto3";
package pb;

message Op {
  repeated Input inputs = 1;
  oneof op { ExecOp exec = 2; SourceOp source = 3; FileOp file = 4; MergeOp merge = 6; DiffOp diff = 7; }
  Platform platform = 10; WorkerConstraints constraints = 11;
}
message WorkerConstraints { repeated string filter = 1; }
message Input { string digest = 1; int64 index = 2; }
message Platform {
  string architecture = 1; string os = 2; string variant = 3; string osVersion = 4; repeated string osFeatures = 5;
}

message SourceOp { string identifier = 1; map<string, string> attrs = 2; }

message ExecOp {
  Meta meta = 1; repeated Mount mounts = 2; NetMode network = 3; SecurityMode security = 4; repeated SecretEnv secretEnv = 5;
  repeated CDIDevice cdiDevices = 6;
}
message CDIDevice { string name = 1; bool optional = 2; }
message Meta {
  repeated string args = 1; repeated string env = 2; string cwd = 3; string user = 4; ProxyEnv proxyEnv = 5;
  repeated HostIP extraHosts = 6; string hostname = 7; repeated Ulimit ulimit = 9; string cgroupParent = 10;
  bool removeMountStubsRecursive = 11; repeated int32 validExitCodes = 12;
}
message ProxyEnv { string httpProxy = 1; string httpsProxy = 2; string ftpProxy = 3; string noProxy = 4; string allProxy = 5; }
message HostIP { string host = 1; string ip = 2; }
message Ulimit { string name = 1; int64 soft = 2; int64 hard = 3; }
enum NetMode { NET_SANDBOX = 0; NET_HOST = 1; NET_NONE = 2; }
enum SecurityMode { SECURITY_SANDBOX = 0; SECURITY_INSECURE = 1; }
message SecretEnv { string id = 1; string name = 2; bool optional = 3; }
message Mount {
  int64 input = 1; string selector = 2; string dest = 3; int64 output = 4; bool readonly = 5; MountType mountType = 6;
  TmpfsOpt tmpfs = 19; CacheOpt cache = 20; SecretOpt secret = 21; SSHOpt ssh = 22; string resultId = 23;
  MountContentCache contentCache = 24;
}
enum MountType { BIND = 0; SECRET = 1; SSH = 2; CACHE = 3; TMPFS = 4; }
enum MountContentCache { CONTENT_DEFAULT = 0; CONTENT_ON = 1; CONTENT_OFF = 2; }
message TmpfsOpt { int64 size = 1; }
message CacheOpt { string id = 1; CacheSharing sharing = 2; }
enum CacheSharing { SHARED = 0; PRIVATE = 1; LOCKED = 2; }
message SecretOpt { string id = 1; uint32 uid = 2; uint32 gid = 3; uint32 mode = 4; bool optional = 5; }
message SSHOpt { string id = 1; uint32 uid = 2; uint32 gid = 3; uint32 mode = 4; bool optional = 5; }

message FileOp { repeated FileAction actions = 2; }
message FileAction {
  int64 input = 1; int64 secondaryInput = 2; int64 output = 3;
  oneof action { FileCopy copy = 4; FileMkFile mkfile = 5; FileMkDir mkdir = 6; FileRm rm = 7; FileSymlink symlink = 8; }
}
message FileCopy {
  string src = 1; string dest = 2; ChownOpt owner = 3; int32 mode = 4; bool followSymlink = 5; bool dirCopyContents = 6;
  bool attemptUnpack = 7; bool createDestPath = 8; bool allowWildcard = 9; bool allowEmptyWildcard = 10;
  int64 timestamp = 11; repeated string includePatterns = 12; repeated string excludePatterns = 13;
  bool alwaysReplaceExistingDestPaths = 14; string modeStr = 15; repeated string requiredPaths = 16;
}
message FileMkFile { string path = 1; int32 mode = 2; bytes data = 3; ChownOpt owner = 4; int64 timestamp = 5; }
message FileMkDir { string path = 1; int32 mode = 2; bool makeParents = 3; ChownOpt owner = 4; int64 timestamp = 5; }
message FileRm { string path = 1; bool allowNotFound = 2; bool allowWildcard = 3; }
message FileSymlink { string oldpath = 1; string newpath = 2; ChownOpt owner = 3; int64 timestamp = 4; }
message ChownOpt { UserOpt user = 1; UserOpt group = 2; }
message UserOpt { oneof user { NamedUserOpt byName = 1; uint32 byId = 2; } }
message NamedUserOpt { string name = 1; int64 input = 2; }

message MergeOp { repeated MergeInput inputs = 1; }
message MergeInput { int64 input = 1; }
message DiffOp { MergeInput lower = 1; MergeInput upper = 2; }

message Definition { repeated bytes def = 1; map<string, OpMetadata> metadata = 2; }
message OpMetadata { bool ignoreCache = 1; map<string, string> description = 2; }
`;
