import { expect, test } from "vitest";
import { offlineNote } from "../../../src/core-api/solve/offline.ts";

test("a command that wanted the network is told by what its tools say", () => {
  for (const text of [
    "npm error code ENOTCACHED",
    "npm error request to https://registry.example.com/x failed, reason: getaddrinfo EAI_AGAIN registry.example.com",
    "Temporary failure resolving 'deb.debian.org'",
    "curl: (6) Could not resolve host: example.com",
    "fatal: unable to access 'https://example.com/': Could not resolve host: example.com",
    "wget: bad address 'example.com'",
    "dial tcp: lookup proxy.example.com: no such host",
    "module lookup disabled by GOPROXY=off",
    "ERROR: No matching distribution found for left-pad",
    "connect: network is unreachable",
  ]) {
    expect(offlineNote({ stdout: "", stderr: text }), text).toMatch(/^--offline: /);
    expect(offlineNote({ stdout: text, stderr: "" }), text).toMatch(/^--offline: /);
  }
});

test("a test that fails for reasons of its own is told of no network", () => {
  for (const text of [
    "1 failed, 3 passed",
    "AssertionError: expected 1 to be 2",
    "connect ECONNREFUSED 127.0.0.1:5432",
  ])
    expect(offlineNote({ stdout: text, stderr: "" }), text).toBeUndefined();
});
