/** Installs Go and Rust without an image registry, from Debian's packages and Go's module proxy. */
import type { DetectedTool, Detection } from "./types.ts";

/** Go of Debian stable is old, but it fetches any other version as a module. */
const go: DetectedTool = {
  name: "go",
  version: "1.26.8",
  check: "go version",
  install: [
    "mkdir -p /opt/go && cd /opt/go && printf 'module fetch\\n' > go.mod",
    "GOFLAGS=-modcacherw GOMODCACHE=/opt/go/mod go mod download golang.org/toolchain@v0.0.1-go$VERSION.linux-$TARGETARCH",
    "mv /opt/go/mod/golang.org/toolchain@* /usr/local/go && rm -rf /opt/go",
    // Files of a Go module are not executable.
    "chmod +x /usr/local/go/bin/* /usr/local/go/pkg/tool/*/*",
    "ln -s /usr/local/go/bin/go /usr/local/go/bin/gofmt /usr/local/bin/",
  ],
};

/** Adapts suites for a host without an image registry: they use a base image with their toolchain. */
export function withoutImage({ suites, packages, tools, notes }: Detection): Detection {
  const [suite] = suites;
  if (suite === undefined) return { suites, packages, notes };
  const isGo = suite.preset === "go";
  const pinned = suites.find(({ image }) => image !== undefined)?.image;
  const where = isGo ? "Debian's packages and Go's module proxy" : "Debian's packages (rustc-web)";
  return {
    suites: suites.map((each) => ({ ...each, image: undefined, inBase: true })),
    packages: [
      ...packages,
      "gcc",
      "libc6-dev",
      ...(isGo ? ["golang-go"] : ["cargo-web", "pkg-config", "rustc-web"]),
      // Both fetch dependencies that a repository names by revision.
      "git",
    ],
    tools: [...(tools ?? []), ...(isGo ? [go] : [])],
    notes: [
      ...notes,
      `no image registry can be reached: ${isGo ? "Go" : "Rust"} comes out of ${where}, in \`images.base\`${pinned === undefined ? "" : `, not from ${pinned}`}`,
    ],
  };
}
