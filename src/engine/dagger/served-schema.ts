/** The part of a served module's GraphQL schema that calls use, queried type by type. */
import { orAborted } from "../../async/index.ts";
import type { EngineSession, QueryOptions } from "../types.ts";

/** A type without its list and non-null wrappers. */
export interface ServedType {
  name: string;
  isObject: boolean;
}

export interface ServedField {
  /** Name in the schema. */
  name: string;
  type: ServedType;
  args: { name: string; type: ServedType }[];
}

interface Wrapped {
  kind: string;
  name: string | null;
  ofType?: Wrapped | null;
}

interface TypeAnswer {
  fields: { name: string; type: Wrapped; args: { name: string; type: Wrapped }[] }[] | null;
  enumValues: { name: string }[] | null;
}

/** A non-null list of non-null items is three levels deep; no module needs more than twice that. */
const wrapped =
  "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
const typeQuery = `query ServedType($name: String!) { __type(name: $name) {
  fields { name type { ${wrapped} } args { name type { ${wrapped} } } }
  enumValues { name }
} }`;

/**
 * Names in GraphQL follow the engine's own rules (`URLPath`, `with2Images`, `LINUX_AMD_64`), which differ between
 * releases, so they are looked up by their letters and digits, which do not.
 */
export class ServedSchema {
  private readonly session: EngineSession;
  private readonly types = new Map<string, Promise<TypeAnswer>>();

  constructor(session: EngineSession) {
    this.session = session;
  }

  async field(type: string, name: string, options: QueryOptions): Promise<ServedField> {
    const { fields } = await this.type(type, options);
    const found = fields?.find((field) => sameName(field.name, name));
    if (found === undefined) throw new Error(`the engine's ${type} has no field for ${name}`);
    return {
      name: found.name,
      type: unwrap(found.type),
      args: found.args.map((argument) => ({ name: argument.name, type: unwrap(argument.type) })),
    };
  }

  /** Returns the member in the schema for a member in code. */
  async enumMember(type: string, member: string, options: QueryOptions): Promise<string> {
    const { enumValues } = await this.type(type, options);
    const found = enumValues?.find(({ name }) => sameName(name, member));
    if (found === undefined) throw new Error(`the engine's ${type} has no member for ${member}`);
    return found.name;
  }

  private type(name: string, { callId, signal }: QueryOptions): Promise<TypeAnswer> {
    const known = this.types.get(name);
    if (known !== undefined) return orAborted(known, signal);
    const asked = this.session
      .query<{ __type: TypeAnswer | null }>(typeQuery, { name }, { callId })
      .then(({ __type }) => {
        if (__type === null) throw new Error(`the engine has no type ${name}`);
        return __type;
      });
    this.types.set(name, asked);
    // A failed query is repeated by the next call.
    asked.catch(() => this.types.delete(name));
    return orAborted(asked, signal);
  }
}

export function sameName(a: string, b: string): boolean {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
  return plain(a) === plain(b);
}

function unwrap(type: Wrapped): ServedType {
  let inner = type;
  while (inner.ofType !== null && inner.ofType !== undefined) inner = inner.ofType;
  return { name: inner.name ?? "", isObject: inner.kind === "OBJECT" || inner.kind === "INTERFACE" };
}
