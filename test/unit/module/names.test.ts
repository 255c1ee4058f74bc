import { describe, expect, it } from "vitest";
import { cliName, fieldName, kebabCase, memberName, typeName } from "../../../src/module/index.ts";

/** Made with iancoleman/strcase 0.3.0 (`JSON` and `LLM` declared as acronyms, as an engine does): code, GraphQL, command line, type. */
const table: [code: string, field: string, cli: string, type: string][] = [
  // Words
  ["x", "x", "x", "X"],
  ["buildBase", "buildBase", "build-base", "BuildBase"],
  ["BuildBase", "buildBase", "build-base", "BuildBase"],
  ["aB", "aB", "a-b", "AB"],
  ["X", "x", "x", "X"],
  // Runs of capitals
  ["URL", "url", "url", "Url"],
  ["URLPath", "urlpath", "urlpath", "Urlpath"],
  ["myURL", "myUrl", "my-url", "MyUrl"],
  ["myURLPath", "myUrlpath", "my-urlpath", "MyUrlpath"],
  ["userID", "userId", "user-id", "UserId"],
  ["aBC", "aBc", "a-bc", "ABc"],
  ["ABCdef", "abcdef", "abcdef", "Abcdef"],
  ["JSON", "jSON", "j-son", "JSON"],
  ["JSONData", "jsondata", "jsondata", "Jsondata"],
  ["dataJSON", "dataJson", "data-json", "DataJson"],
  ["LLM", "lLM", "l-lm", "LLM"],
  ["loadFooFromID", "loadFooFromID", "load-foo-from-id", "LoadFooFromId"],
  // Digits
  ["x1", "x1", "x-1", "X1"],
  ["x1y", "x1Y", "x-1-y", "X1Y"],
  ["e2e", "e2E", "e-2-e", "E2E"],
  ["a1b2", "a1B2", "a-1-b-2", "A1B2"],
  ["with2Images", "with2Images", "with-2-images", "With2Images"],
  ["sha256Sum", "sha256Sum", "sha-256-sum", "Sha256Sum"],
  ["Sha256", "sha256", "sha-256", "Sha256"],
  ["v1Beta1", "v1Beta1", "v-1-beta-1", "V1Beta1"],
  ["HTTP2Server", "http2Server", "http-2-server", "Http2Server"],
  ["foo12bar", "foo12Bar", "foo-12-bar", "Foo12Bar"],
  ["oAuth2Token", "oAuth2Token", "o-auth-2-token", "OAuth2Token"],
  // Underscores, dollars, and what is not ASCII
  ["foo_bar", "fooBar", "foo-bar", "FooBar"],
  ["FOO_BAR", "fooBar", "foo-bar", "FooBar"],
  ["A_B", "aB", "a-b", "AB"],
  ["foo__bar", "fooBar", "foo-bar", "FooBar"],
  ["_foo", "Foo", "foo", "Foo"],
  ["__foo", "Foo", "foo", "Foo"],
  ["foo_", "foo", "foo", "Foo"],
  ["$foo", "foo", "foo", "foo"],
  ["foo$bar", "foobar", "foobar", "Foobar"],
  ["größe", "gre", "gre", "Gre"],
  ["é1", "1", "1", "1"],
  ["Ä", "", "", ""],
];

describe("a name in code is in an engine and on the command line:", () => {
  it.each(table)("%s -> %s, --%s, %s", (code, field, cli, type) => {
    expect([fieldName(code), cliName(code), typeName(code)]).toEqual([field, cli, type]);
  });

  it("what `dagger call` calls something is read as itself", () => {
    for (const [, , cli] of table) expect(kebabCase(cli)).toBe(cli);
  });
});

it.each([
  ["VeryHigh", "VERY_HIGH"],
  ["linuxAmd64", "LINUX_AMD_64"],
  ["HTTP2", "HTTP2"],
  ["TLS_1_3", "TLS_1_3"],
  ["httpURL", "HTTP_URL"],
  ["x1", "X_1"],
  ["low", "LOW"],
])("the enum member %s is %s", (code, served) => {
  expect(memberName(code)).toBe(served);
});
