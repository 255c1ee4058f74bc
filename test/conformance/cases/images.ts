import { execFileSync } from "node:child_process";
import path from "node:path";
import { baseImage, matching, type ConformanceCase } from "./case.ts";

/** Reads a JSON file out of an OCI archive. */
function fromArchive<T>(archive: string, name: string): T {
  return JSON.parse(execFileSync("tar", ["-xOf", archive, name], { encoding: "utf8", maxBuffer: 10_000_000 })) as T;
}

interface Descriptor {
  digest: string;
  mediaType: string;
  annotations?: Record<string, string>;
}

interface Manifest {
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
}

function blob<T>(archive: string, digest: string): T {
  return fromArchive<T>(archive, `blobs/${digest.replace(":", "/")}`);
}

function manifestOf(archive: string): Manifest {
  let [descriptor] = fromArchive<{ manifests: Descriptor[] }>(archive, "index.json").manifests;
  for (;;) {
    const content = blob<Manifest & { manifests?: Descriptor[] }>(archive, descriptor!.digest);
    if (content.manifests === undefined) return content;
    [descriptor] = content.manifests;
  }
}

export const imageCases: ConformanceCase[] = [
  {
    name: "an exported image is an OCI archive with the container's configuration",
    run: async ({ dag, folder, relativeFolder }) => {
      const target = await dag
        .container()
        .from(baseImage)
        .withEntrypoint(["/bin/app"])
        .withDefaultArgs(["serve"])
        .withEnvVariable("A", "1")
        .withLabel("l", "v")
        .withUser("nobody")
        .withWorkdir("/w")
        .withExposedPort(8080)
        .withNewFile("/bin/app", "app", { permissions: 0o755 })
        .export(`${relativeFolder}/image.tar`);
      const archive = path.join(folder, "image.tar");
      const { config } = blob<{ config: Record<string, unknown> }>(archive, manifestOf(archive).config.digest);
      return [
        target === archive,
        config["Entrypoint"],
        config["Cmd"],
        (config["Env"] as string[]).includes("A=1"),
        (config["Labels"] as Record<string, string>)["l"],
        config["User"],
        config["WorkingDir"],
        Object.keys(config["ExposedPorts"] as object),
      ];
    },
    expected: [true, ["/bin/app"], ["serve"], true, "v", "nobody", "/w", ["8080/tcp"]],
  },
  {
    name: "mounts, caches and secrets are not in an exported image",
    run: async ({ dag, folder, relativeFolder, unique }) => {
      await dag
        .container()
        .withRootfs(dag.container().from(baseImage).rootfs())
        .withMountedDirectory("/mounted", dag.directory().withNewFile("m", "m"))
        .withMountedCache("/cached", dag.cacheVolume(`i-${unique}`))
        .withMountedSecret("/secret", dag.setSecret("i", `image-${unique}`))
        .withExec(["sh", "-c", "touch /cached/x /made"])
        .export(`${relativeFolder}/image.tar`);
      const archive = path.join(folder, "image.tar");
      const { layers } = manifestOf(archive);
      const names = layers.flatMap(({ digest }) => {
        const listing = execFileSync(
          "sh",
          ["-c", `tar -xOf "$1" "$2" | tar -tz`, "sh", archive, `blobs/${digest.replace(":", "/")}`],
          {
            encoding: "utf8",
            maxBuffer: 50_000_000,
          },
        );
        return listing.split("\n");
      });
      return [names.includes("made"), names.filter((name) => /^(mounted\/m|cached\/x|secret|\.fastloop)/.test(name))];
    },
    expected: [true, []],
  },
  {
    name: "asTarball is the archive as a file",
    run: async ({ dag, folder, relativeFolder }) => {
      const tarball = dag.container().withNewFile("/only", "x").asTarball();
      await tarball.export(`${relativeFolder}/t.tar`);
      return [(await tarball.size()) > 0, manifestOf(path.join(folder, "t.tar")).layers.length];
    },
    expected: [true, 1],
  },
  {
    name: "variants for two platforms make one index",
    run: async ({ dag, folder, relativeFolder }) => {
      const variant = (platform: string) =>
        dag
          .container({ platform: platform as never })
          .withNewFile("/platform", platform)
          .withEntrypoint(["/platform"]);
      await dag
        .container()
        .export(`${relativeFolder}/multi.tar`, { platformVariants: [variant("linux/amd64"), variant("linux/arm64")] });
      const archive = path.join(folder, "multi.tar");
      const [index] = fromArchive<{ manifests: Descriptor[] }>(archive, "index.json").manifests;
      const inner = blob<{ manifests?: (Descriptor & { platform: { architecture: string } })[] }>(
        archive,
        index!.digest,
      );
      const manifests =
        inner.manifests ??
        fromArchive<{ manifests: (Descriptor & { platform: { architecture: string } })[] }>(archive, "index.json")
          .manifests;
      return manifests.map(({ platform }) => platform.architecture).toSorted();
    },
    expected: ["amd64", "arm64"],
  },
  {
    name: "publishing where no registry is fails with its address",
    run: ({ dag }) => dag.container().withNewFile("/x", "").publish("127.0.0.1:1/me/img:1"),
    fails: { message: /127\.0\.0\.1:1/ },
  },
  {
    name: "a published image is named by its digest and can be used at once",
    run: async ({ dag, unique, registry }) => {
      if (registry === undefined) return "no registry";
      const reference = await dag
        .container()
        .from(baseImage)
        .withNewFile("/published", unique)
        .publish(`${registry}/conformance/img:1`);
      const text = await dag.container().from(reference).file("/published").contents();
      return [/@sha256:[0-9a-f]{64}$/.test(reference), text === unique].every(Boolean) ? "published" : reference;
    },
    expected: matching(/^(published|no registry)$/),
  },
  ...["OCIMediaTypes", "DockerMediaTypes"].map((mediaTypes): ConformanceCase => ({
    name: `an exported image (${mediaTypes}) comes back with its files and configuration by import`,
    run: async ({ dag, unique }) => {
      const made = dag
        .container()
        .from(baseImage)
        .withEnvVariable("KEPT", unique)
        .withWorkdir("/w")
        .withExec([
          "sh",
          "-c",
          "echo $KEPT > /w/f; ln -s f /w/l; rm /etc/hostname /etc/debian_version; rm -rf /opt; mkdir -m 700 /opt; echo x > /opt/only; chown 12:34 /opt/only",
        ]);
      const back = dag.container().import_(made.asTarball({ mediaTypes: mediaTypes as never }));
      const script =
        "cat l; echo $KEPT; ls -A /opt; stat -c '%a %u:%g' /opt /opt/only; test -e /etc/debian_version || echo gone; find / -xdev -name '.wh.*' | wc -l";
      return (await back.withExec(["sh", "-c", script]).stdout()).replaceAll(unique, "U");
    },
    expected: "U\nU\nonly\n700 0:0\n644 12:34\ngone\n0\n",
  })),
  ...["OCIMediaTypes", "DockerMediaTypes"].map((mediaTypes): ConformanceCase => ({
    name: `an archive of one platform (${mediaTypes}) is one that \`docker load\` understands`,
    run: async ({ dag, folder, relativeFolder }) => {
      const archive = path.join(folder, "image.tar");
      await dag
        .container()
        .from(baseImage)
        .withNewFile("/added", "x")
        .export(`${relativeFolder}/image.tar`, { mediaTypes: mediaTypes as never });
      const [image] = fromArchive<{ Config: string; Layers: string[] }[]>(archive, "manifest.json");
      const { mediaType, config, layers } = manifestOf(archive);
      const place = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;
      return [
        image?.Config === place(config),
        image?.Layers.join() === layers.map(place).join(),
        /oci|docker/.exec(mediaType ?? "")?.[0],
      ];
    },
    expected: [true, true, mediaTypes === "OCIMediaTypes" ? "oci" : "docker"],
  })),
  ...[
    ["Gzip", "tar+gzip"],
    ["EStarGZ", "tar+gzip"],
    ["Zstd", "tar+zstd"],
    ["Uncompressed", "tar"],
  ].map(([compression, suffix]): ConformanceCase => ({
    name: `forcedCompression ${compression} holds for every layer, and the image comes back by import`,
    run: async ({ dag, folder, relativeFolder, unique }) => {
      const base = dag.container().withNewFile("/first", unique);
      const tarball = base.withNewFile("/second", "2").asTarball({ forcedCompression: compression as never });
      await tarball.export(`${relativeFolder}/image.tar`);
      const { layers } = manifestOf(path.join(folder, "image.tar"));
      const back = dag.container().import_(tarball);
      return [
        [...new Set(layers.map(({ mediaType }) => mediaType))],
        layers.every(({ annotations }) => "containerd.io/snapshot/stargz/toc.digest" in (annotations ?? {})),
        (await back.file("/first").contents()) === unique,
        await back.file("/second").contents(),
      ];
    },
    expected: [[`application/vnd.oci.image.layer.v1.${suffix}`], compression === "EStarGZ", true, "2"],
  })),
  {
    name: "an archive of two platforms comes back by import as the one of the container",
    run: async ({ dag, unique }) => {
      const variant = (platform: string) =>
        dag.container({ platform: platform as never }).withNewFile("/platform", `${platform} ${unique}`);
      const tarball = await dag
        .container()
        .asTarball({ platformVariants: [variant("linux/amd64"), variant("linux/arm64")] })
        .sync();
      const back = (platform: string) => dag.container({ platform: platform as never }).import_(tarball);
      const texts = await Promise.all(
        ["linux/amd64", "linux/arm64"].map((platform) => back(platform).file("/platform").contents()),
      );
      return [...texts.map((text) => text.replace(unique, "U")), await back("linux/arm64").platform()];
    },
    expected: ["linux/amd64 U", "linux/arm64 U", "linux/arm64"],
  },
  {
    name: "what is no image archive cannot be imported",
    run: ({ dag }) => dag.container().import_(dag.file("x.tar", "no archive")).sync(),
    fails: { message: /archive|unexpected EOF|oci/i },
  },
  {
    name: "a health check is in the image's configuration",
    run: async ({ query }) => {
      const check = "args shell interval timeout retries";
      const { data } = await query(
        `{container{withDockerHealthcheck(args:["curl","localhost"],interval:"1m30s",timeout:"500ms",retries:3){dockerHealthcheck{${check}} withoutDockerHealthcheck{dockerHealthcheck{args}}}}}`,
      );
      return (data as { container: { withDockerHealthcheck: unknown } }).container.withDockerHealthcheck;
    },
    expected: {
      dockerHealthcheck: { args: ["curl", "localhost"], shell: false, interval: "1m30s", timeout: "500ms", retries: 3 },
      withoutDockerHealthcheck: { dockerHealthcheck: null },
    },
  },
];
