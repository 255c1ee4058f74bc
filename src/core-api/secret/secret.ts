import { id, typeModule } from "../values/resolver.ts";
import type { Secret } from "../values/values.ts";

export const secretModule = typeModule<Secret>(
  "Secret",
  /* GraphQL */ `
  "A reference to a secret value, which can be handled more safely than the value itself."
  type Secret implements Node {
    id: ID!
    name: String!
    plaintext: String!
    uri: String!
  }
`,
  {
    id,
    name: (secret) => (secret.uri === "" ? secret.name : ""),
    plaintext: async (secret, _args: object, call) =>
      (await call.session.secrets.resolve(secret)).plaintext.toString("utf8"),
    uri: (secret) => secret.uri,
  },
);
