import { describe, expect, test } from "vitest";
import { anotherKey, certificate, key } from "./certificates.ts";
import { DeployError } from "../../../src/deploy/objects/problem.ts";
import { isLocalCluster, readKubeconfig } from "../../../src/deploy/cluster/kubeconfig.ts";

interface Parts {
  server?: string;
  user?: Record<string, unknown>;
  cluster?: Record<string, unknown>;
  current?: string;
  context?: string;
}

const config = ({
  server = "https://10.0.0.1:6443",
  user = { token: "s3cret" },
  cluster = {},
  current = "prod",
  context = "prod",
}: Parts = {}): string =>
  JSON.stringify({
    "current-context": current,
    clusters: [{ name: "c", cluster: { server, ...cluster } }],
    contexts: [
      { name: context, context: { cluster: "c", user: "u", namespace: "shop" } },
      { name: "other", context: { cluster: "gone", user: "u" } },
    ],
    users: [{ name: "u", user }],
  });
const pem = (text: string): string => Buffer.from(text).toString("base64");

describe("a kubeconfig", () => {
  test("gives the named context whole", () => {
    const access = readKubeconfig(
      config({
        cluster: { "certificate-authority-data": pem(certificate), "tls-server-name": "k8s" },
        user: { "client-certificate-data": pem(certificate), "client-key-data": pem(key) },
      }),
      "prod",
    );
    expect(access).toMatchObject({
      context: "prod",
      namespace: "shop",
      ca: certificate,
      tlsServerName: "k8s",
      certificate: { cert: certificate, key },
    });
  });

  test("has no default: the current context counts only where it is a cluster of this machine", () => {
    expect(() => readKubeconfig(config(), undefined)).toThrow("the current context prod is no cluster of this machine");
    // Its name alone says nothing: anybody can call a cluster so.
    expect(() => readKubeconfig(config({ current: "kind-a", context: "kind-a" }), undefined)).toThrow(
      "is no cluster of this machine",
    );
    const here = config({ current: "kind-a", context: "kind-a", server: "https://127.0.0.1:6443" });
    expect(isLocalCluster(readKubeconfig(here, undefined))).toBe(true);
    expect(() => readKubeconfig(config({ current: "" }), undefined)).toThrow("no context is named");
  });

  test("says which contexts there are", () => {
    expect(() => readKubeconfig(config(), "prodd")).toThrow("the kubeconfig has no context prodd; it has: prod, other");
    expect(() => readKubeconfig(config(), "other")).toThrow("names the cluster gone, which is not there");
  });

  test.each([
    [
      "a file of a certificate",
      { user: { "client-certificate": "/home/me/c.crt", "client-key": "/home/me/c.key" } },
      "--flatten --context prod",
    ],
    ["a file of an authority", { cluster: { "certificate-authority": "/ca.crt" } }, "--flatten"],
    ["a file with a token", { user: { tokenFile: "/var/run/token" } }, "--flatten"],
    [
      "a program",
      { user: { exec: { command: "aws", args: ["eks", "s3cret"] } } },
      "from the program aws, which is not in the container",
    ],
    ["an auth provider", { user: { "auth-provider": { name: "gcp" } } }, "of a kind that is not supported"],
    ["a password", { user: { username: "a", password: "s3cret" } }, "of a kind that is not supported"],
    ["another user's name", { user: { token: "s3cret", as: "root" } }, "of a kind that is not supported"],
    ["no credentials", { user: {} }, "has no credentials"],
    ["half a certificate", { user: { "client-certificate-data": pem(certificate) } }, "has no credentials"],
    ["a proxy", { cluster: { "proxy-url": "http://p" } }, "proxy-url"],
    ["plain HTTP", { server: "http://10.0.0.1" }, "https://"],
    ["no address", { server: "nothing" }, "https://"],
  ] as [string, Parts, string][])("with %s is refused, with the way round it and no value", (_, parts, expected) => {
    let message = "";
    try {
      readKubeconfig(config(parts), "prod");
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(expected);
    expect(message).not.toContain("s3cret");
  });

  test("that is damaged is never quoted", () => {
    for (const text of [
      'users: [{user: {token: "s3cret}',
      "s3cret",
      '{"users": [{"name": "u", "user": {"token": ["s3cret"]}}]}',
      "[]",
    ]) {
      expect(() => readKubeconfig(text, "prod"), text).toThrow(/kubeconfig/);
      try {
        readKubeconfig(text, "prod");
      } catch (error) {
        expect(`${(error as Error).message} ${(error as Error).stack}`).not.toContain("s3cret");
      }
    }
  });

  test.each([
    ["a token with a line break", { user: { token: "s3cret\nx" } }, "the token has a space, a line break or another"],
    [
      "no certificate of an authority",
      { cluster: { "certificate-authority-data": pem("s3cret") } },
      "certificate-authority-data is no certificate in PEM",
    ],
    [
      "text that is no base64",
      { cluster: { "certificate-authority-data": "s3cret!" } },
      "certificate-authority-data is no certificate in PEM",
    ],
    [
      "no certificate of a client",
      { user: { "client-certificate-data": pem("s3cret"), "client-key-data": pem(key) } },
      "client-certificate-data is no certificate in PEM",
    ],
    [
      "no key of a client",
      { user: { "client-certificate-data": pem(certificate), "client-key-data": pem("s3cret") } },
      "client-key-data is no private key in PEM",
    ],
    [
      "a key of another certificate",
      { user: { "client-certificate-data": pem(certificate), "client-key-data": pem(anotherKey) } },
      "the client's certificate and key do not belong together",
    ],
  ] as const)("with %s is refused in words, and nothing of it is told", (_what, parts, message) => {
    let told = "";
    try {
      readKubeconfig(config(parts), "prod");
    } catch (error) {
      if (error instanceof DeployError) told = error.message;
    }
    expect(told).toContain(`context prod: ${message}`);
    expect(told).not.toContain("s3cret");
  });
});
