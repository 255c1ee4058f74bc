import { baseImage, type ConformanceCase } from "./case.ts";

export const valueCases: ConformanceCase[] = [
  {
    name: "JSON values are read by field",
    run: async ({ dag }) => {
      const json = dag.file("f.json", `{"a":{"b":[1,"two",true]},"c":"text"}`).asJSON();
      const items = await json.field(["a", "b"]).asArray();
      return [
        (await json.fields()).toSorted(),
        await json.field(["c"]).asString(),
        await items[0]!.asInteger(),
        await items[1]!.asString(),
        await items[2]!.asBoolean(),
      ];
    },
    expected: [["a", "c"], "text", 1, "two", true],
  },
  {
    name: "JSON values are built by field",
    run: async ({ dag }) => {
      const json = dag.json();
      const value = json.withContents(`{"a":1}` as never).withField(["b", "c"], json.newString("x"));
      return JSON.parse(String(await value.contents())) as unknown;
    },
    expected: { a: 1, b: { c: "x" } },
  },
  {
    name: "a missing field and a wrong type are errors",
    run: ({ dag }) => dag.file("f.json", `{"a":1}`).asJSON().field(["b"]).asString(),
    fails: { message: /b/ },
  },
  {
    name: "text that is no JSON is an error",
    run: ({ dag }) => dag.file("f.json", `{`).asJSON().fields(),
    fails: { message: /./ },
  },
  {
    name: "an env file has its variables, without quotes and expanded",
    run: async ({ dag }) => {
      const file = dag
        .file(".env", `# comment\nA=1\nexport B="two words"\nC='$A'\nD=\${A}-\${NOPE:-none}\n`)
        .asEnvFile();
      return [
        await file.get("A"),
        await file.get("B"),
        await file.get("C"),
        await file.get("D"),
        await file.exists("A"),
        await file.exists("Z"),
      ];
    },
    expected: ["1", "two words", "$A", "1-none", true, false],
  },
  {
    name: "an env file's variables become the container's",
    run: ({ dag }) =>
      dag
        .container()
        .from(baseImage)
        .withEnvFileVariables(dag.envFile().withVariable("A", "1").withVariable("B", "${A}2"))
        .withExec(["sh", "-c", "echo $A $B"])
        .stdout(),
    expected: "1 12\n",
  },
  {
    name: "variables of an env file replace the container's, and do not see them",
    run: async ({ dag }) => {
      const file = dag.file(".env", "OWN=new\nSEEN=${MINE:-nothing}\n").asEnvFile();
      const container = dag
        .container()
        .withEnvVariable("OWN", "old")
        .withEnvVariable("MINE", "m")
        .withEnvFileVariables(file);
      return [
        await container.envVariable("OWN"),
        await container.envVariable("SEEN"),
        await container.envVariable("MINE"),
      ];
    },
    expected: ["new", "nothing", "m"],
  },
  {
    name: "the engine's cache has entries",
    run: async ({ dag }) => {
      await dag.container().from(baseImage).withExec(["true"]).sync();
      const set = dag.engine().localCache().entrySet();
      return [(await set.entryCount()) > 0, (await set.diskSpaceBytes()) > 0];
    },
    expected: [true, true],
  },
  {
    name: "an error carries a message and values",
    run: async ({ dag }) => {
      const error = dag
        .error("no coverage")
        .withValue("percent", JSON.stringify(12) as never)
        .withValue("file", JSON.stringify("a.ts") as never);
      const values = await error.values();
      return [
        await error.message(),
        await Promise.all(values.map(async (each) => [await each.name(), await each.value()])),
      ];
    },
    expected: [
      "no coverage",
      [
        ["percent", "12"],
        ["file", '"a.ts"'],
      ],
    ],
  },
  {
    name: "an object comes back by its id",
    run: async ({ query }) => {
      const made = await query(`{directory{withNewFile(path:"f",contents:"kept"){id}}}`);
      const { id } = (made.data as { directory: { withNewFile: { id: string } } }).directory.withNewFile;
      const loaded = await query(`{loadDirectoryFromID(id:${JSON.stringify(id)}){file(path:"f"){contents}}}`);
      return loaded.data;
    },
    expected: { loadDirectoryFromID: { file: { contents: "kept" } } },
    only: { engine: "embedded", reason: "Dagger 0.21 serves these fields to older clients only" },
  },
];
