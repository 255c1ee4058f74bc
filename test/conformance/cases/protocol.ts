import { baseImage, matching, type ConformanceCase } from "./case.ts";

const messageOf = (answer: { errors?: { message: string }[] }): string | undefined => answer.errors?.[0]?.message;

export const protocolCases: ConformanceCase[] = [
  {
    name: "the version is one of 0.21",
    run: ({ dag }) => dag.version(),
    expected: matching(/^v0\.21\.\d+/),
  },
  {
    name: "an object comes back through node(id)",
    run: async ({ query }) => {
      const made = await query(`{directory{withNewFile(path:"a/b",contents:"x"){id}}}`);
      const { id } = (made.data as { directory: { withNewFile: { id: string } } }).directory.withNewFile;
      const answer = await query(`query($i:ID!){node(id:$i){__typename ... on Directory{entries}}}`, { i: id });
      return answer.data;
    },
    expected: { node: { __typename: "Directory", entries: ["a/"] } },
  },
  {
    name: "a fragment on another type selects nothing",
    run: async ({ query }) => {
      const made = await query(`{directory{id}}`);
      const { id } = (made.data as { directory: { id: string } }).directory;
      return (await query(`query($i:ID!){node(id:$i){__typename ... on Container{platform}}}`, { i: id })).data;
    },
    expected: { node: { __typename: "Directory" } },
  },
  {
    name: "making an id evaluates nothing",
    run: ({ dag }) =>
      dag
        .directory()
        .withNewFile("x", "")
        .directory("missing")
        .id()
        .then(() => "fine"),
    expected: "fine",
  },
  {
    name: "ids that are none get an error, not a crash",
    run: async ({ query }) => [
      messageOf(await query(`{node(id:"garbage"){id}}`)) !== undefined,
      messageOf(await query(`{node(id:""){id}}`)) !== undefined,
      messageOf(await query(`{container{withMountedDirectory(path:"/x",source:"aGVsbG8="){id}}}`)) !== undefined,
    ],
    expected: [true, true, true],
  },
  {
    name: "an id of another type is refused",
    run: async ({ query }) => {
      const made = await query(`{directory{id}}`);
      const { id } = (made.data as { directory: { id: string } }).directory;
      return messageOf(await query(`query($i:ID!){container{withMountedFile(path:"/x",source:$i){id}}}`, { i: id }));
    },
    expected: matching(/File.*Directory|Directory.*File/),
  },
  {
    name: "aliases make several results in one request",
    run: async ({ query }) =>
      (
        await query(
          `{a:directory{withNewFile(path:"x",contents:"1"){entries}} b:directory{withNewFile(path:"y",contents:"2"){entries}}}`,
        )
      ).data,
    expected: { a: { withNewFile: { entries: ["x"] } }, b: { withNewFile: { entries: ["y"] } } },
  },
  {
    name: "variables arrive in arguments",
    run: async ({ query }) =>
      (
        await query(
          `query($p:String!,$c:String!){directory{withNewFile(path:$p,contents:$c){file(path:$p){contents}}}}`,
          { p: "v", c: "vv" },
        )
      ).data,
    expected: { directory: { withNewFile: { file: { contents: "vv" } } } },
  },
  {
    name: "malformed requests get errors",
    run: async ({ query }) => {
      const broken = [
        "{container{",
        "",
        "{nope}",
        "{container{withExec{id}}}",
        "{container{withExec(argz:[]){id}}}",
        "{container}",
        "{version{x}}",
        "query Q($x: Nope){version}",
      ];
      return await Promise.all(broken.map(async (document) => messageOf(await query(document)) !== undefined));
    },
    expected: [true, true, true, true, true, true, true, true],
  },
  {
    name: "what is not served is said in one sentence",
    run: async ({ query }) => [
      messageOf(await query(`{directory{asModule{id}}}`)),
      messageOf(await query(`{llm{id}}`)),
    ],
    expected: [
      matching(/: Directory\.asModule is not served by the embedded engine; use a Dagger engine/),
      matching(/: llm is not served by the embedded engine; use a Dagger engine/),
    ],
    only: { engine: "embedded", reason: "a Dagger engine serves them" },
  },
  {
    name: "a chain of two thousand fields is answered",
    run: async ({ query }) => {
      const depth = 2000;
      const answer = await query(
        `{directory${'{withNewFile(path:"f",contents:"x")'.repeat(depth)}{entries}${"}".repeat(depth)}}`,
      );
      return JSON.stringify(answer).includes('"entries":["f"]');
    },
    expected: true,
    only: { engine: "embedded", reason: "a Dagger 0.21 engine fails to mount so many layers" },
  },
  {
    name: "quotes, backslashes and control characters survive in contents",
    run: ({ dag }) => dag.directory().withNewFile("f", '"q" \\ \t \u0001 {"a":1,"b":2}\n').file("f").contents(),
    expected: '"q" \\ \t \u0001 {"a":1,"b":2}\n',
  },
  {
    name: "an aborted request stops its exec and leaves the others alone",
    run: async ({ dag, unique }) => {
      const gql = dag.getGQLClient();
      const aborter = new AbortController();
      const slow = gql
        .request({
          document: `{container{from(address:"${baseImage}"){withExec(args:["sh","-c","echo ${unique}; sleep 60"]){stdout}}}}`,
          signal: aborter.signal,
        })
        .then(
          () => "finished",
          () => "aborted",
        );
      const quick = dag
        .container()
        .from(baseImage)
        .withExec(["sh", "-c", `sleep 1; echo quick ${unique}`])
        .stdout();
      setTimeout(() => aborter.abort(), 500);
      return [await slow, (await quick).startsWith("quick")];
    },
    expected: ["aborted", true],
  },
];
