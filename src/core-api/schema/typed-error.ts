import { id, typeModule, type TypeModule } from "../values/resolver.ts";

/** An error with named values that a function raises. */
interface TypedError {
  readonly type: "Error";
  readonly message: string;
  readonly values: readonly ErrorValue[];
}

interface ErrorValue {
  readonly type: "ErrorValue";
  readonly name: string;
  /** The value as JSON text. */
  readonly value: string;
}

const errorModule = typeModule<TypedError>(
  "Error",
  /* GraphQL */ `
  type Error implements Node {
    id: ID!
    message: String!
    values: [ErrorValue!]!
    withValue(name: String!, value: JSON!): Error!
  }

  extend type Query {
    error(message: String!): Error!
  }
`,
  {
    id,
    withValue: (error, { name, value }: { name: string; value: string }) => ({
      ...error,
      values: [...error.values, { type: "ErrorValue", name, value } satisfies ErrorValue],
    }),
  },
);

export const typedErrorModules: TypeModule[] = [
  errorModule,
  typeModule<ErrorValue>("ErrorValue", "type ErrorValue implements Node { id: ID! name: String! value: JSON! }", {
    id,
  }),
  typeModule<unknown>("Query", "", {
    error: (_root, { message }: { message: string }) => ({ type: "Error", message, values: [] }) satisfies TypedError,
  }),
];
