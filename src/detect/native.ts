/** Detects C and C++ projects that CMake, Meson, the autotools or make build and test. */
import { has } from "./files.ts";
import { inputsOf } from "./inputs.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "./types.ts";

/** Build system at the root of a repository. */
interface BuildSystem {
  /** File that defines it. */
  manifest: string;
  /** Debian packages needed besides a compiler. */
  packages: string[];
  build: string[];
  test: string;
}

const sources = /\.(?:c|cc|cpp|cxx)$/;
/**
 * Runs compilers through ccache: make cannot compare the times of a tree's files, and a cache by content needs none.
 */
const ccachePath = "/usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Used only if nothing else in the repository has tests, as its `make test` would run those too. */
export function detectNative(files: ProjectFiles): Detection {
  const own = files.list.filter((file) => sources.test(file));
  const system = own.length === 0 ? undefined : buildSystem(files);
  if (system === undefined) return { suites: [], packages: [], notes: [] };
  const suite: DetectedSuite = {
    name: "app",
    folder: "",
    because: system.manifest,
    alone: false,
    caches: { ccache: "/root/.cache/ccache" },
    env: { PATH: ccachePath },
    tiers: { fast: [...system.build, system.test] },
    needs: [],
    inputs: inputsOf(files, { own: "", needed: [], others: [] }),
  };
  const compilers = own.every((file) => file.endsWith(".c")) && system.manifest !== "CMakeLists.txt" ? [] : ["g++"];
  const packages = ["ccache", "gcc", "libc6-dev", "make", ...compilers, ...system.packages, ...librariesOf(files)];
  return { suites: [suite], packages, notes: [] };
}

const builtIn = (files: ProjectFiles): string =>
  files.list.some((file) => /^build(?:\/|$)/.test(file)) ? "_build" : "build";

function buildSystem(files: ProjectFiles): BuildSystem | undefined {
  const folder = builtIn(files);
  const textOf = (pattern: RegExp): string =>
    files.list
      .filter((file) => pattern.test(file))
      .map((file) => files.read(file))
      .join("\n");
  const cmake = textOf(/(?:^|\/)CMakeLists\.txt$|\.cmake$/);
  const isTested = /\b(?:add_test|\w+_discover_tests)\s*\(/i.test(cmake);
  const target = /\badd_custom_target\s*\(\s*"?(test|check|tests)\b/i.exec(cmake)?.[1];
  if (has(files, "CMakeLists.txt") && (isTested || target !== undefined))
    return {
      manifest: "CMakeLists.txt",
      packages: ["cmake"],
      build: [
        ["cmake", "-B", folder, ...testOptions(files.read("CMakeLists.txt"))].join(" "),
        `cmake --build ${folder} --parallel "$(nproc)"`,
      ],
      test: isTested
        ? `ctest --test-dir ${folder} --output-on-failure $TEST_ARGS`
        : `cmake --build ${folder} --target ${target!}`,
    };
  if (has(files, "meson.build") && /^\s*test\s*\(/m.test(textOf(/(?:^|\/)meson\.build$/)))
    return {
      manifest: "meson.build",
      packages: ["meson", "ninja-build", "pkg-config"],
      build: [`meson setup ${folder}`],
      test: `meson test -C ${folder} --print-errorlogs $TEST_ARGS`,
    };
  if (has(files, "configure.ac") && /^\s*(?:TESTS|check_PROGRAMS|check-local)\b/m.test(textOf(/(?:^|\/)Makefile\.am$/)))
    return {
      manifest: "configure.ac",
      packages: ["autoconf", "automake", "libtool", "pkg-config"],
      build: ["autoreconf --install --force", "./configure", 'make -j "$(nproc)"'],
      test: "make check",
    };
  const makefile = ["GNUmakefile", "makefile", "Makefile"].find((file) => has(files, file));
  const goal = /^(test|check|tests)\s*:(?!=)/m.exec(makefile === undefined ? "" : files.read(makefile))?.[1];
  return makefile === undefined || goal === undefined
    ? undefined
    : { manifest: makefile, packages: [], build: [], test: `make ${goal}` };
}

/** Returns CMake options that enable tests which the project builds only on request. */
const testOptions = (text: string): string[] =>
  [...text.matchAll(/\boption\s*\(\s*(\w*TEST(?:S|ING)?)\s+(?:"[^"]*"\s*)?(?:OFF|FALSE|0)?\s*\)/gi)]
    .filter(([whole]) => !/\bON\s*\)$/i.test(whole))
    .map(([, name]) => `-D${name}=ON`);

/** Debian packages of libraries that CMake, Meson or pkg-config search for. */
const libraries: [pattern: RegExp, name: string][] = [
  [/\bZLIB\b|['"\s]zlib\b/, "zlib1g-dev"],
  [/\bOpenSSL\b|['"\s]openssl\b/, "libssl-dev"],
  [/\bCURL\b|['"\s]libcurl\b/, "libcurl4-openssl-dev"],
  [/\bGTest\b|['"\s]gtest\b/, "libgtest-dev"],
  [/\bSQLite3\b|['"\s]sqlite3\b/, "libsqlite3-dev"],
];

function librariesOf(files: ProjectFiles): string[] {
  const asked = files.list
    .filter((file) => /(?:^|\/)(?:CMakeLists\.txt|meson\.build|configure\.ac)$/.test(file))
    .flatMap((file) => [...files.read(file).matchAll(/\b(?:find_package|dependency|PKG_CHECK_MODULES)\s*\([^)]*/gi)])
    .join("\n");
  return libraries.filter(([pattern]) => pattern.test(asked)).map(([, name]) => name);
}
