/** Inputs -> digests -> affected functions -> ordered plan, with the reason for each. Nothing here needs an engine. */
export { adviceOf, type Advice } from "./inputs/advice.ts";
export { concernOf } from "./scan/concern.ts";
export { expectedTotalMs, type ExpectedRun } from "./expected.ts";
export {
  digestOf,
  fingerprintOf,
  fingerprintOfCall,
  type Fingerprint,
  type FingerprintContext,
} from "./fingerprint.ts";
export { renderGraph, type GraphFormat } from "./graph.ts";
export { diffManifests, ManifestStore } from "./scan/manifests.ts";
export { orderTargets, withDependents, withNeeds } from "./order.ts";
export { planTargets, type PlanContext, type PlannedTarget } from "./planner.ts";
export {
  brokenProjectSources,
  loadProject,
  moduleSources,
  placeProject,
  projectHasher,
  type Project,
  type ProjectOptions,
  type ProjectPlace,
} from "./project.ts";
export { askPast, type Past } from "./past/past-results.ts";
export { PastScan } from "./past/past-scan.ts";
export { ProjectScanner } from "./scan/project-scan.ts";
export type { ProjectSnapshot, WatchedPlace } from "./scan/project-snapshot.ts";
export { selectionOf, type ScannedInput } from "./inputs/scanned-input.ts";
export { describeReason, hasPassed, reasonsFor, type PreviousRun, type Reason, type TargetHistory } from "./reasons.ts";
export {
  checkFunctions,
  declaredTargets,
  inputsOfCall,
  isInTier,
  parseTargetCall,
  resolveTarget,
  resolveTargets,
  type ResolvedTarget,
} from "./resolve.ts";
export { namedInputs } from "./inputs/named-inputs.ts";
export type { TargetInput } from "./inputs/target-input.ts";
export { exceededBy, resourcesOf, sumOfResources, type Resources } from "./targets.ts";
export { selectTargets, type Selected, type Selection } from "./select.ts";
export { affectedSince, changedSince, headCommit, type AffectedSince } from "./since.ts";
export { UnreadFiles } from "./inputs/unread.ts";
export { asksOfTarget, trustedFolder, trustOf } from "./trusted.ts";
export { isAsRead, WorkspaceReads } from "./workspace-reads.ts";
export type { CheckKinds, RunPolicy, Target } from "./targets.ts";
