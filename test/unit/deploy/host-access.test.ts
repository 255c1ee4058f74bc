// A kubeconfig as it lies on a user's machine: files, plugins, several files; one context of it comes out whole.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readHostAccess } from "../../../src/deploy/index.ts";
import { certificate, key } from "./certificates.ts";

describe("access from the user's machine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-access-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (file: string, text: string): string => {
    const full = path.join(folder, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };
  const config = (name: string, user: Record<string, unknown>, cluster: Record<string, unknown> = {}): string =>
    JSON.stringify({
      "current-context": name,
      clusters: [{ name, cluster: { server: `https://${name}.example.com`, ...cluster } }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: "shop" } }],
      users: [{ name, user }],
    });
  const read = (context: string | undefined, env: NodeJS.ProcessEnv = {}, file?: string) =>
    readHostAccess({ env: { HOME: folder, PATH: process.env["PATH"], ...env }, cwd: folder, file, context });
  const plugin = (script: string): string => {
    const file = write("bin/plugin", `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  test("reads certificates and tokens from the files that are named, from the kubeconfig's folder on", async () => {
    write("pki/ca.crt", certificate);
    write("pki/token", "s3cret\n");
    write(".kube/config", config("prod", { tokenFile: "../pki/token" }, { "certificate-authority": "../pki/ca.crt" }));
    const { access, text } = await read("prod");
    expect(access).toMatchObject({ token: "s3cret", ca: certificate, namespace: "shop" });
    expect(Object.keys(JSON.parse(text) as object)).not.toContain("tokenFile");
    write("pki/tls.crt", certificate);
    write("pki/tls.key", key);
    write(".kube/config", config("prod", { "client-certificate": "../pki/tls.crt", "client-key": "../pki/tls.key" }));
    expect((await read("prod")).access.certificate).toEqual({ cert: certificate, key });
  });

  test("a file that is not there is told by its name", async () => {
    write(".kube/config", config("prod", { tokenFile: "gone" }));
    await expect(read("prod")).rejects.toThrow(`context prod names the file ${folder}/.kube/gone, which can't be read`);
  });

  test("gives that one context and nothing of others", async () => {
    const all = {
      clusters: ["a", "b"].map((name) => ({ name, cluster: { server: `https://${name}.example.com` } })),
      contexts: ["a", "b"].map((name) => ({ name, context: { cluster: name, user: name } })),
      users: ["a", "b"].map((name) => ({ name, user: { token: `token-${name}` } })),
    };
    write(".kube/config", JSON.stringify(all));
    const { text, access } = await read("b");
    expect(access.server.host).toBe("b.example.com");
    expect(text).not.toContain("token-a");
    await expect(read("c")).rejects.toThrow("the kubeconfig has no context c; it has: a, b");
  });

  test("merges the files of KUBECONFIG; of a name that two have the first counts, and --kubeconfig stands alone", async () => {
    const one = write("one", config("prod", { token: "first" }));
    const two = write("two", config("prod", { token: "second" }));
    const three = write("three", config("dev", { token: "third" }));
    const env = { KUBECONFIG: [path.join(folder, "gone"), one, two, three].join(path.delimiter) };
    expect((await read("prod", env)).access.token).toBe("first");
    expect((await read("dev", env)).access.token).toBe("third");
    expect((await read("prod", env, "two")).access.token).toBe("second");
    await expect(read("dev", env, "two")).rejects.toThrow("has no context dev");
    await expect(read("dev", env, "gone")).rejects.toThrow("--kubeconfig: the kubeconfig");
  });

  test("asks a credential plugin for its token, in its words", async () => {
    const script = `[ "$1" = get-token ] && [ "$EXTRA" = yes ] || exit 3
echo "$KUBERNETES_EXEC_INFO" > ${folder}/info
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"fresh"}}'`;
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: plugin(script),
      args: ["get-token"],
      env: [{ name: "EXTRA", value: "yes" }],
      provideClusterInfo: true,
    };
    write(".kube/config", config("eks", { exec }));
    const { access, text } = await read("eks");
    expect(access.token).toBe("fresh");
    expect(text).not.toContain("exec");
    expect(JSON.parse(readFileSync(path.join(folder, "info"), "utf8"))).toMatchObject({
      kind: "ExecCredential",
      spec: { interactive: false, cluster: { server: "https://eks.example.com" } },
    });
  });

  test("a plugin that fails, answers nonsense or is not there is told with what to do", async () => {
    write(".kube/config", config("eks", { exec: { command: plugin("echo log in first >&2; exit 1") } }));
    await expect(read("eks")).rejects.toThrow(/plugin gives no credentials: it failed\nlog in first/);
    write(".kube/config", config("eks", { exec: { command: plugin("echo hello") } }));
    await expect(read("eks")).rejects.toThrow("plugin answered with no credentials");
    write(".kube/config", config("eks", { exec: { command: "no-such-plugin", installHint: "install it from X" } }));
    await expect(read("eks")).rejects.toThrow(
      /no-such-plugin, which can't be run here; it is not on the PATH\ninstall it from X/,
    );
  });

  test("nothing is run or read for a current context that nobody named", async () => {
    write(".kube/config", config("prod", { exec: { command: plugin(`touch ${folder}/ran`) } }));
    await expect(read(undefined)).rejects.toThrow("the current context prod is no cluster of this machine");
    expect(existsSync(path.join(folder, "ran"))).toBe(false);
    write(".kube/config", config("kind-shop", { token: "t" }, { server: "https://127.0.0.1:6443" }));
    expect((await read(undefined)).access.context).toBe("kind-shop");
  });

  test("no kubeconfig at all is told with where it was looked for", async () => {
    await expect(read("prod")).rejects.toThrow(`there is no kubeconfig: ${folder}/.kube/config is not there`);
  });
});
