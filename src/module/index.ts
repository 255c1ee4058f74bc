/**
 * A Dagger TypeScript module seen from outside: its signatures, its digest, and the function runtime that runs its
 * bodies.
 */
export type * from "./types.ts";
export { loadModule } from "./load.ts";
export { hasUnfetched, type MayFetch, type ModuleToFetch } from "./git-dependencies.ts";
export { withDependencies } from "./dependency-client.ts";
export type { ExportTo } from "./exports/exported-files.ts";
export type { FillDefaults } from "./runtime-process/dependency-calls.ts";
export {
  declaresWorkspace,
  isGivenWorkspace,
  takesWorkspace,
  workspaceHandle,
  type WorkspaceReader,
} from "./workspace.ts";
export {
  findModule,
  packageModule,
  isRemote,
  manifestFile,
  manifestFiles,
  refuseRemote,
  settingFiles,
} from "./manifest/manifest.ts";
export { argumentInput, functionInputs } from "./inputs.ts";
export { envDefaultFiles } from "./env-defaults.ts";
export { camelCase, cliName, fieldName, kebabCase, memberName, pascalCase, servedName, typeName } from "./names.ts";
export {
  startFunctionRuntime,
  type ExpectedCall,
  type RuntimeCall,
  type RuntimeLog,
  type FunctionRuntime,
  type FunctionRuntimeOptions,
} from "./runtime-process/function-runtime.ts";
export { execMessage, execOutput, FunctionError } from "./runtime-process/function-error.ts";
export { coreSchema, type CoreSchema, type CoreType } from "./core-schema.ts";
export { listModuleSources } from "./sources.ts";
export { confineDir, confineProgram } from "./boundary/confine.ts";
