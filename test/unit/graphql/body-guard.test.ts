import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { refusedToBodies } from "../../../src/graphql/body-guard.ts";
import { parseRequest, readingLimits } from "../../../src/graphql/parse.ts";

const check = (query: string): string | undefined => refusedToBodies(parse(query));

describe("a function body's request is refused", () => {
  it.each([
    ["the host", '{host{directory(path:"/"){entries}}}', "host"],
    ["a secret by its URI", '{secret(uri:"env://HOME"){plaintext}}', "secret"],
    ["a secret whose URI is a variable", "query($u:String!){secret(uri:$u){plaintext}}", "secret"],
    ["an address", '{address(value:"/etc"){directory{entries}}}', "address"],
    ["a module on this disk", '{moduleSource(refString:"/"){contextDirectory{entries}}}', "moduleSource"],
    ["the workspace", '{currentWorkspace{directory(path:"/"){entries}}}', "currentWorkspace"],
    ["an export", '{directory{withNewFile(path:"a",contents:""){export(path:"/")}}}', "export"],
    ["an export to the image store", '{container{exportImage(name:"a")}}', "exportImage"],
    ["a service's ports", '{node(id:"x"){... on Service{up}}}', "up"],
    ["a module's services", '{node(id:"x"){... on Module{services{run{id}}}}}', "services"],
    ["a terminal", "{container{terminal{id}}}", "terminal"],
    ["the engine's cache", "{engine{localCache{prune}}}", "localCache"],
    ["a model's environment with access to the host", "{env(privileged:true){id}}", "env(privileged)"],
    ["one that may have it", "query($p:Boolean){env(privileged:$p){id}}", "env(privileged)"],
  ])("for %s", (_what, query, field) => {
    expect(check(query)).toMatch(
      new RegExp(
        `^\`${field.replaceAll(/[()]/g, "\\$&")}\` is refused to function bodies: it would reach your machine`,
      ),
    );
  });

  it.each([
    ["an alias", '{version:host{findUp(name:"x")}}'],
    ["an inline fragment", '{... on Query{host{findUp(name:"x")}}}'],
    ["a fragment", 'query{...f} fragment f on Query{host{findUp(name:"x")}}'],
    ["a fragment of a fragment", 'fragment g on Query{host{findUp(name:"x")}} query{...f} fragment f on Query{...g}'],
    ["an operation that is not the named one", 'query a{version} query b{host{findUp(name:"x")}}'],
    ["a directive", 'query($no:Boolean!){host@skip(if:$no){findUp(name:"x")}}'],
    ["a mutation", 'mutation{host{findUp(name:"x")}}'],
    ["the id of the host, as a node", '{node(id:"x"){...on Host{findUp(name:"x")}}}'],
    ["the id of the host, in a fragment", '{node(id:"x"){...f}} fragment f on Host{findUp(name:"x")}'],
    ["the id of the host, loaded", '{loadHostFromID(id:"x"){findUp(name:"x")}}'],
    ["an address loaded", '{loadAddressFromID(id:"x"){file{contents}}}'],
    [
      "the end of a long chain",
      `{container${'{withEnvVariable(name:"a",value:"b")'.repeat(50)}{export(path:"/x")}${"}".repeat(51)}`,
    ],
  ])("by way of %s", (_what, query) => {
    expect(check(query)).toBeDefined();
  });

  it("with what to do instead", () => {
    expect(check("{host{id}}")).toContain(
      "take what it needs as an argument (Directory, File, Secret, Service, Socket)",
    );
    expect(check('{directory{export(path:"/")}}')).toContain("save it with `-o PATH`");
    expect(check("{container{up}}")).toContain("put `up` behind the call");
    expect(check("{host{id}}")).toContain("fastloop session -- COMMAND");
  });

  it("but for what its engine serves to bodies", () => {
    const served = new Set(["terminal"]);
    expect(refusedToBodies(parse("{container{terminal{id}}}"), served)).toBeUndefined();
    expect(refusedToBodies(parse("{container{terminal{up}}}"), served)).toContain("`up`");
  });

  it("at the end of thousands of nested fields", () => {
    const query = `{${"a{".repeat(5000)}up${"}".repeat(5001)}`;
    expect(refusedToBodies(parseRequest(query, readingLimits))).toContain("`up`");
  });
});

describe("a function body's request is run", () => {
  it.each([
    '{container{from(address:"alpine"){withExec(args:["host","secret","export"]){stdout}}}}',
    '{setSecret(name:"host",plaintext:"secret"){id}}',
    '{loadSecretFromID(id:"x"){plaintext}}',
    '{node(id:"x"){...on Secret{plaintext}}}',
    '{loadDirectoryFromID(id:"x"){entries}}',
    'query($host:String!){directory{withNewFile(path:"up",contents:$host){export:id}}}',
    "{currentModule{source{entries}}}",
    '{container{publish(address:"r/x")}}',
    "{env(privileged:false){id}}",
    "{__schema{queryType{name}}}",
  ])("%s", (query) => {
    expect(check(query)).toBeUndefined();
  });
});
