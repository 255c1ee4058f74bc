import { expect, test } from "vitest";
import { failureAdvice } from "../../../src/text/index.ts";

const popen = `  File "/usr/lib/python3.11/subprocess.py", line 1953, in _execute_child
    raise child_exception_type(errno_num, err_msg, err_filename)
`;

test.each([
  ["> bun run x\nsh: 1: bun: not found\n", "bun is not in the image"],
  ["bash: line 3: gh: command not found", "gh is not in the image"],
  ["/bin/sh: hg: not found", "hg is not in the image"],
  ["Error: spawn git ENOENT\n  errno: -2", "git is not in the image"],
  ['exec: "svn": executable file not found in $PATH', "svn is not in the image"],
  [`${popen}FileNotFoundError: [Errno 2] No such file or directory: 'less'`, "less is not in the image"],
  [
    `>           raise child_exception_type(errno_num, err_msg, err_filename)\nE           FileNotFoundError: [Errno 2] No such file or directory: 'hg'`,
    "hg is not in the image",
  ],
  [`${popen}E   FileNotFoundError: [Errno 2] No such file or directory: 'data'`, "data is not in the image"],
  ["error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "gcc is not in the image"],
  ["src/a.c:1:10: fatal error: Python.h: No such file or directory", "python3-dev"],
  ["fatal: not a git repository (or any of the parent directories): .git", "have no .git"],
  ["\u001b[31mError: connect ECONNREFUSED 127.0.0.1:5432\u001b[39m", "nothing listens on port 5432"],
  ["dial tcp [::1]:6379: connect: connection refused", "nothing listens on port 6379"],
  ["redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.", "port 6379"],
  ['connection to server at "localhost" (::1), port 5432 failed: Connection refused', "`tests.services`"],
  [
    "gyp http fetch GET https://nodejs.org/download/v22/headers.tar.gz attempt 1 failed with ENOTFOUND",
    "nodejs.org can't be reached",
  ],
  ["fatal: unable to access 'https://git.example/a/': Could not resolve host: git.example", "git.example can't be"],
  ["dial tcp: lookup proxy.golang.org on 10.0.0.1:53: no such host", "proxy.golang.org can't be reached"],
  [
    "HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /simple/ (Caused by NewConnectionError('[Errno -2] Name or service not known'))",
    "pypi.org can't be reached",
  ],
  [
    "error: Request failed after 3 retries in 7.0s\n  cause: Failed to download `https://github.com/astral-sh/a.tar.gz`\n  cause: error sending request for url (https://github.com/)\n  cause: client error (Connect)\n  cause: dns error\n",
    "github.com can't be reached",
  ],
  ["dial unix /tmp/.s.PGSQL.5432: connect: no such file or directory", "nothing listens on port 5432"],
  ["OSError: [Errno 111] Connect call failed ('127.0.0.1', 3306)", "port 3306"],
])("%j says what to do", (output, told) => {
  expect(failureAdvice(output)).toContain(told);
});

test("a program with and without its target's prefix is one", () => {
  const error = "command 'x86_64-linux-gnu-gcc' failed: No such file or directory";
  const missing = `${popen}FileNotFoundError: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'`;
  expect(failureAdvice(`${error}\n${missing}`)?.match(/gcc is not/g)).toHaveLength(1);
});

test("two causes are both told, once each", () => {
  const output = "sh: 1: bun: not found\n[cause]: Error: getaddrinfo ENOTFOUND repo.example\nsh: 1: bun: not found";
  expect(failureAdvice(output)).toMatch(
    /^bun is not in the image: .*; and repo\.example can't be reached from [a-z ]+$/,
  );
});

test.each([
  "AssertionError: expected 1 to be 2",
  "FileNotFoundError: [Errno 2] No such file or directory: 'data.json'",
  "    return open('data')\nFileNotFoundError: [Errno 2] No such file or directory: 'data'",
  "404: page not found",
  "module foo: bar: not found",
  "",
])("%j says nothing", (output) => {
  expect(failureAdvice(output)).toBeUndefined();
});
