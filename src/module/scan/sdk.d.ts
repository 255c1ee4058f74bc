/**
 * Modules that the build extracts from `@dagger.io/dagger` under names of its own (tools/build-sdk.mjs): internal files
 * of the pinned version, which its `exports` do not include.
 */

/** The introspector with which an engine reads a module. */
declare module "sdk:introspector" {
  import type * as ts from "typescript";

  export interface TypeDef {
    kind: string;
    name?: string;
    typeDef?: TypeDef;
  }
  export interface Argument {
    name: string;
    description: string;
    deprecated?: string;
    type?: TypeDef;
    isVariadic: boolean;
    isNullable: boolean;
    isOptional: boolean;
    defaultPath?: string;
    defaultAddress?: string;
    ignore?: string[];
    defaultValue?: unknown;
  }
  export interface Method {
    name: string;
    description: string;
    deprecated?: string;
    alias?: string;
    cache?: string;
    isCheck?: boolean;
    isGenerator?: boolean;
    isUp?: boolean;
    returnType?: TypeDef;
    arguments: Record<string, Argument>;
    node: ts.Node;
  }
  export interface Property {
    name: string;
    description: string;
    alias?: string;
    isExposed: boolean;
    deprecated?: string;
    type?: TypeDef;
    node: ts.Node;
  }
  export interface IntrospectedObject {
    name: string;
    description: string;
    deprecated?: string;
    kind(): "class" | "object";
    _constructor?: { arguments: Record<string, Argument> };
    methods: Record<string, Method>;
    properties: Record<string, Property>;
    node: ts.Node;
  }
  export interface IntrospectedModule {
    description?: string;
    objects: Record<string, IntrospectedObject>;
    enums: Record<
      string,
      {
        name: string;
        description: string;
        values: Record<string, { name: string; value: unknown; description: string; deprecated?: string }>;
      }
    >;
    interfaces: Record<string, { name: string; description: string; functions: Record<string, Method> }>;
  }
  export function scan(files: string[], moduleName: string, loadModule: boolean): Promise<IntrospectedModule>;
}

/** Declarations as text, without comments. */
declare module "sdk:client-types" {
  /** The ECMAScript library in one file. */
  export const libraryTypes: string;
  /** The generated client: the types of the core API. */
  export const clientTypes: string;
}
