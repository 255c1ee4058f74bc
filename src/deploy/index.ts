/**
 * Deploys to Kubernetes: manifests, checks that protect a cluster, the program that applies, and access from the user's
 * machine.
 */
export * from "./bundled.ts";
export { Cluster } from "./cluster/client.ts";
export { identityOf } from "./cluster/preflight.ts";
export { DeployError } from "./objects/problem.ts";
export { readHostAccess, type HostAccess, type HostAccessOptions } from "./host/access.ts";
export { openForward } from "./host/forward.ts";
export { followLogs } from "./host/logs.ts";
export { isLocalCluster, type Access } from "./cluster/kubeconfig.ts";
