import { CacheSharingMode } from "@dagger.io/dagger";
import { baseImage, type ConformanceCase } from "./case.ts";

export const mountCases: ConformanceCase[] = [
  {
    name: "a mounted directory is seen, its mode and owner are the source's",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("sub/f", "x", { permissions: 0o640 }))
        .withExec(["sh", "-c", "cat /d/sub/f; stat -c ' %a %u' /d/sub/f"])
        .stdout(),
    expected: "x 640 0\n",
  },
  {
    name: "what a command writes into a mounted directory is there for the next one and for directory()",
    run: async ({ dag }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a", ""))
        .withExec(["sh", "-c", "echo new > /d/b"]);
      return [await container.withExec(["cat", "/d/b"]).stdout(), await container.directory("/d").entries()];
    },
    expected: ["new\n", ["a", "b"]],
  },
  {
    name: "a mounted directory is not part of the root file system",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/mounted", dag.directory().withNewFile("a", ""))
        .withExec(["true"])
        .rootfs()
        .glob("mounted/*"),
    expected: [],
  },
  {
    name: "a read-only mount cannot be written",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a", ""), { readOnly: true })
        .withExec(["sh", "-c", "touch /d/b 2>/dev/null && echo writable || echo read-only"])
        .stdout(),
    expected: "read-only\n",
  },
  {
    name: "a mount can belong to another user",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a", ""), { owner: "nobody" })
        .withExec(["sh", "-c", "stat -c '%u:%g %n' /d /d/a"])
        .stdout(),
    expected: "65534:65534 /d\n65534:65534 /d/a\n",
  },
  {
    name: "a part of a directory is mounted as that part",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a/b/c", "x").directory("a"))
        .withExec(["find", "/d", "-type", "f"])
        .stdout(),
    expected: "/d/b/c\n",
  },
  {
    name: "a file is mounted as a file",
    run: async ({ dag }) => {
      const container = dag.container().from(baseImage).withMountedFile("/etc/my.conf", dag.file("f", "conf"));
      return [
        await container.withExec(["cat", "/etc/my.conf"]).stdout(),
        await container.file("/etc/my.conf").contents(),
        await container.mounts(),
      ];
    },
    expected: ["conf", "conf", ["/etc/my.conf"]],
  },
  {
    name: "withoutMount shows what is below",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withNewFile("/d/below", "")
        .withMountedDirectory("/d", dag.directory().withNewFile("above", ""))
        .withoutMount("/d")
        .directory("/d")
        .entries(),
    expected: ["below"],
  },
  {
    name: "a file written into a mount's path goes into the mount",
    run: async ({ dag }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a", ""))
        .withNewFile("/d/b", "");
      return [await container.directory("/d").entries(), await container.withoutMount("/d").exists("/d/b")];
    },
    expected: [["a", "b"], false],
  },
  {
    name: "a mount in a mount is seen, and nearest for paths",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedDirectory("/d", dag.directory().withNewFile("a", ""))
        .withMountedDirectory("/d/inner", dag.directory().withNewFile("b", ""))
        .withExec(["sh", "-c", "ls /d /d/inner"])
        .stdout(),
    expected: "/d:\na\ninner\n\n/d/inner:\nb\n",
  },
  {
    name: "a temporary mount is empty, writable and gone afterwards",
    run: async ({ dag }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withMountedTemp("/t")
        .withExec(["sh", "-c", "ls -A /t; touch /t/x; ls /t"]);
      return [await container.stdout(), await container.withExec(["ls", "-A", "/t"]).stdout()];
    },
    expected: ["x\n", ""],
  },
  {
    name: "paths in a temporary or cache mount cannot be read",
    run: ({ dag }) => dag.container().from(baseImage).withMountedTemp("/t").file("/t/x").contents(),
    fails: { message: /\/t\/x: cannot retrieve path from tmpfs/ },
  },
  {
    name: "a cache volume keeps files between execs",
    run: async ({ dag, unique }) => {
      const container = dag
        .container()
        .from(baseImage)
        .withMountedCache("/c", dag.cacheVolume(`k-${unique}`));
      await container.withExec(["sh", "-c", `echo kept > /c/${unique}`]).sync();
      return await container.withExec(["cat", `/c/${unique}`]).stdout();
    },
    expected: "kept\n",
  },
  {
    name: "cache volumes with different keys do not share",
    run: async ({ dag, unique }) => {
      const at = (key: string) =>
        dag
          .container()
          .from(baseImage)
          .withMountedCache("/c", dag.cacheVolume(`${key}-${unique}`));
      await at("one").withExec(["touch", "/c/x"]).sync();
      return await at("two").withExec(["ls", "-A", "/c"]).stdout();
    },
    expected: "",
  },
  {
    name: "a new cache volume starts with its source and owner",
    run: ({ dag, unique }) =>
      dag
        .container()
        .from(baseImage)
        .withMountedCache("/c", dag.cacheVolume(`s-${unique}`), {
          source: dag.directory().withNewFile("seed", "s"),
          owner: "nobody",
          sharing: CacheSharingMode.Locked,
        })
        .withExec(["sh", "-c", "cat /c/seed; stat -c ' %u %u' /c /c/seed"])
        .stdout(),
    expected: "s 65534 65534\n 65534 65534\n",
  },
];
