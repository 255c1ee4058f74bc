/** The grammar of `dagger call`, the values of its arguments in a session, and how a chain runs. */
export { CallMask } from "./call-mask.ts";
export { choicesOf, type Choices } from "./grammar/choices.ts";
export { configOption, moduleOption } from "./grammar/own-flags.ts";
export { callName, parseCall } from "./grammar/parse-call.ts";
export { isNamedBy, markedFunctions, ownersOf, selectMarked, type MarkedFunction } from "./marked.ts";
export { isOption, missingValue } from "./grammar/parse-value.ts";
export { loadProjectModule, projectModuleFolder, type ProjectModuleOptions } from "./project-module.ts";
export { isSupported, type ValueContext } from "./grammar/parse-value.ts";
export { requirePath, secretText, valueOf, type HostInput } from "./resolve-value.ts";
export { canExport, runCall } from "./run-call.ts";
export { secretName } from "./resolve-value.ts";
export { dependencyDefaults } from "./dependency-defaults.ts";
export { servedMember, servedObject } from "./grammar/served-names.ts";
export { commandName, flagName, isRequired } from "./grammar/signature.ts";
export {
  CallWorkspace,
  filterOfRead,
  workspaceAt,
  type MadeRead,
  type WorkspacePlace,
  type WorkspaceRead,
} from "./workspace.ts";
export { splitWords } from "./grammar/split-words.ts";
export type { CoreStep, FieldStep, GivenArgument, GivenValue, OwnStep, ParsedCall } from "./types.ts";
