import { expect, test } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { detectProject, scaffoldConfig, type Detection } from "../../../src/detect/index.ts";

function detect(files: Record<string, string>): Detection {
  const list = Object.keys(files).toSorted();
  return detectProject({ list, read: (file) => files[file] ?? "" });
}
const fast = (files: Record<string, string>): string[] | undefined => detect(files).suites[0]?.tiers.fast;

test("a Makefile with tests of C gets a compiler, and what is written is valid", () => {
  const files = { Makefile: "CC := gcc\nall: a.o\ntest: all\n\t./a\n", "a.c": "", "README.md": "" };
  const found = detect(files);
  expect(found.suites).toMatchObject([{ name: "app", because: "Makefile", tiers: { fast: ["make test"] } }]);
  expect(found.packages).toEqual(["ccache", "gcc", "libc6-dev", "make"]);
  const { config, problems } = parseConfig(scaffoldConfig({ project: "x", module: "fastloop" }, found));
  expect(problems).toEqual([]);
  expect(config?.images?.base?.from).toBe("debian:bookworm-slim");
  expect(config?.tests?.suites["app"]).toMatchObject({ image: "base", caches: { ccache: "/root/.cache/ccache" } });
  expect(config?.watch?.targets?.["app"]?.inputs).toEqual(["**", "!README.md"]);
});

test("CMake's tests are built beside the sources, those behind an option, too", () => {
  const files = {
    "CMakeLists.txt":
      'project(x)\noption(X_BUILD_TESTS "tests" OFF)\noption(X_FUZZ_TEST "on already" ON)\nfind_package(ZLIB REQUIRED)\nadd_subdirectory(test)\n',
    "test/CMakeLists.txt": "add_test(NAME a COMMAND a)\n",
    "test/a.cpp": "",
    Makefile: "test:\n\tfalse\n",
  };
  expect(fast(files)).toEqual([
    "cmake -B build -DX_BUILD_TESTS=ON",
    'cmake --build build --parallel "$(nproc)"',
    "ctest --test-dir build --output-on-failure $TEST_ARGS",
  ]);
  expect(detect(files).packages).toEqual(expect.arrayContaining(["cmake", "g++", "zlib1g-dev"]));
  expect(fast({ ...files, "build/version.txt": "" })?.[0]).toBe("cmake -B _build -DX_BUILD_TESTS=ON");
});

test("a target of CMake's own that runs the tests is built", () => {
  const files = { "CMakeLists.txt": "project(x)\nADD_CUSTOM_TARGET(test ./run_tests.sh)\n", "a.c": "" };
  expect(fast(files)?.at(-1)).toBe("cmake --build build --target test");
});

test("Meson's and the autotools' tests are found", () => {
  expect(fast({ "meson.build": "project('x', 'c')\ntest('a', exe)\n", "a.c": "" })).toEqual([
    "meson setup build",
    "meson test -C build --print-errorlogs $TEST_ARGS",
  ]);
  expect(fast({ "configure.ac": "AC_INIT", "Makefile.am": "TESTS = a\n", "a.c": "" })?.at(-1)).toBe("make check");
});

test("what has no tests, or no sources of C, or tests of another kind is not taken for it", () => {
  expect(detect({ Makefile: "all:\n", "a.c": "" }).suites).toEqual([]);
  expect(detect({ Makefile: "test := a\nall:\n", "a.c": "" }).suites).toEqual([]);
  expect(detect({ Makefile: "test:\n\techo\n", "run.sh": "" }).suites).toEqual([]);
  const none = detect({ "CMakeLists.txt": "project(x)\n", "a.c": "" });
  expect(none.notes.join()).toContain("no tests that CMake starts were found");
  const node = { "package.json": JSON.stringify({ scripts: { test: "node --test" } }) };
  expect(detect({ ...node, Makefile: "test:\n\tnpm test\n", "addon.c": "" }).suites).toMatchObject([{ preset: "npm" }]);
});
