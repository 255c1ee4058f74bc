import protobuf from "protobufjs";
/**
 * Encodes and decodes one message type. Absent fields decode to their proto3 default, and 64-bit integers to decimal
 * strings.
 */
export interface Codec<T extends object> {
  readonly encode: (message: T) => Buffer;
  readonly decode: (bytes: Uint8Array) => T;
}

const decodeOptions: protobuf.IConversionOptions = {
  longs: String,
  bytes: Buffer,
  defaults: true,
  arrays: true,
  objects: true,
};

/** Message types of some protos. */
export interface Codecs {
  /** Returns the codec of a message type such as `pb.Op`. */
  codec<T extends object>(name: string): Codec<T>;
  /**
   * Encodes like Go's deterministic marshaller: fields by number, the chosen member of a oneof last, zero values left
   * out unless they choose a oneof, map keys sorted. BuildKit marshals each op again and computes the digest of *those*
   * bytes, so the encoding must be the same. (In nested messages, the members of a oneof have the highest numbers
   * anyway.)
   */
  encodeCanonical(name: string, message: object): Buffer;
}

/** Returns codecs for the messages of these `.proto` texts, which may refer to each other's messages. */
export function codecsOf(protos: readonly string[]): Codecs {
  const root = new protobuf.Root();
  for (const proto of protos) protobuf.parse(proto, root, { keepCase: true });
  root.resolveAll();
  return {
    codec<T extends object>(name: string): Codec<T> {
      const type = root.lookupType(name);
      return {
        encode: (message) => Buffer.from(type.encode(message).finish()),
        decode: (bytes) => type.toObject(type.decode(bytes), decodeOptions) as T,
      };
    },
    encodeCanonical: (name, message) => encodeCanonical(root.lookupType(name), message),
  };
}

function encodeCanonical(type: protobuf.Type, message: object): Buffer {
  const fields = Object.entries(canonical(type, message as Record<string, unknown>));
  const isChoice = ([field]: [string, unknown]): boolean => type.fields[field]?.partOf instanceof protobuf.OneOf;
  const parts = [fields.filter((field) => !isChoice(field)), fields.filter(isChoice)];
  return Buffer.concat(parts.map((part) => type.encode(Object.fromEntries(part)).finish()));
}

function canonical(type: protobuf.Type, message: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (field instanceof protobuf.MapField) {
      const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
      if (sorted.length > 0) result[field.name] = Object.fromEntries(sorted);
    } else if (field.repeated) {
      const items = value as unknown[];
      if (items.length > 0) result[field.name] = items.map((item) => canonicalValue(field, item));
    } else if (field.partOf instanceof protobuf.OneOf || !isZero(field, value)) {
      result[field.name] = canonicalValue(field, value);
    }
  }
  return result;
}

function canonicalValue(field: protobuf.Field, value: unknown): unknown {
  return field.resolvedType instanceof protobuf.Type
    ? canonical(field.resolvedType, value as Record<string, unknown>)
    : value;
}

/** Reports whether a value is the field's zero. Decoded 64-bit integers are decimal strings. */
function isZero(field: protobuf.Field, value: unknown): boolean {
  if (value === "0") return field.type.endsWith("int64");
  return value === 0 || value === "" || value === false || (value instanceof Uint8Array && value.length === 0);
}
