import path from "node:path";
import process from "node:process";

/** What a case can use besides the copy of the module that it runs in. */
export interface ModuleSurroundings {
  /** A TCP server on this machine's loopback that says `hi` and hangs up. */
  tcpPort: number;
  /** A unix socket that somebody listens on. */
  socket: string;
}

/** One call of the module `conform`, and what every way to make it has to print. */
export interface ModuleCase {
  /** A sentence about what holds. */
  name: string;
  words: string[] | ((around: ModuleSurroundings) => string[]);
  env?: Record<string, string>;
  stdout?: string | RegExp;
  /** 0 when left out. */
  exitCode?: number;
  /** What fastloop says of an error; `dagger call` words it in its own way. */
  stderr?: RegExp;
  /** Twice the same call: whether both print the same. */
  twice?: "same" | "different";
}

const call = (text: string): string[] => text.split(" ");
const architecture = process.arch === "x64" ? "amd64" : process.arch;

export const moduleCases: ModuleCase[] = [
  { name: "defaults hold where nothing is given", words: call("greet"), stdout: "hey, world" },
  {
    name: "what is given takes the defaults' place, a constructor's argument included",
    words: call("--who you greet --greeting hi --times 2 --loud --suffix ! --mark ?"),
    stdout: "HI, YOUHI, YOU!?",
  },
  { name: "a switch can be told false", words: call("greet --loud=false"), stdout: "hey, world" },
  { name: "a text may begin with a dash", words: ["greet", "--greeting=-x"], stdout: "-x, world" },
  {
    name: "a variadic argument takes none, several and commas",
    words: call("join --words a --words b,c"),
    stdout: "a+b+c",
  },
  { name: "quotes keep a comma inside an item", words: ["join", "--words", '"a,b",c'], stdout: "a,b+c" },
  { name: "a variadic argument may be left out", words: call("join"), stdout: "" },
  { name: "a list has its default", words: call("sum"), stdout: "3" },
  { name: "a list of numbers is repeated or has commas", words: call("sum --numbers 4,5 --numbers 6"), stdout: "15" },
  { name: "a float stays one", words: call("half --value 3"), stdout: "1.5" },
  { name: "booleans are printed one a line", words: call("both --yes --no=false"), stdout: "true\nfalse\n" },
  { name: "texts of a list are printed as they are", words: call("words"), stdout: "a b\nc,d\nü\n" },
  { name: "JSON of a list is a list", words: call("words --json"), stdout: '[\n    "a b",\n    "c,d",\n    "ü"\n]\n' },
  { name: "a function that gives nothing prints nothing", words: call("nothing"), stdout: "" },
  {
    name: "an enum's member is given by its name and arrives as its value",
    words: call("level-text --level VERY_HIGH"),
    stdout: "very-high",
  },
  {
    name: "a list of enums is given and printed",
    words: call("levels --levels LOW,very_high"),
    stdout: "LOW\nVERY_HIGH\n",
  },
  { name: "an enum's default is its member", words: call("level"), stdout: "VERY_HIGH" },
  {
    name: "an object is printed with its type, as the engine names it, and a digest",
    words: call("person --name ada"),
    stdout: /^ConformPerson@[a-z0-9]+:[0-9a-f]+\n?$/,
  },
  {
    name: "objects of a list are printed one a line",
    words: call("people"),
    stdout: /^(- ConformPerson@[a-z0-9]+:[0-9a-f]+\n){2}$/,
  },
  {
    name: "a chain goes into an object of the module",
    words: call("person --name ada hello --greeting hi"),
    stdout: "hi ada",
  },
  {
    name: "an object keeps its state through a chain",
    words: call("person --name ada older --years 2 older age"),
    stdout: "4",
  },
  { name: "state that is not exposed is kept too", words: call("person --name ada inner"), stdout: "ada's own" },
  { name: "a field is read like a function", words: call("--who me who"), stdout: "me" },
  { name: "a chain goes through each object of a list", words: call("people hello"), stdout: "hello ada\nhello bob\n" },
  { name: "fields of plain objects are read", words: call("points label"), stdout: "p\n" },
  {
    name: "a chain goes from the module's object into the core API",
    words: call("person --name ada card file --path /card contents"),
    stdout: "ada",
  },
  {
    name: "a core object's own functions follow",
    words: call("base with-exec --args=sh,-c,pwd stdout"),
    stdout: "/tmp\n",
  },
  { name: "a container's file is read", words: call("base file --path /hello contents"), stdout: "hello" },
  { name: "a directory's entries are listed", words: call("folder entries"), stdout: "x/\nz\n" },
  {
    name: "a given directory is filtered by ignore",
    words: call("tree --dir site"),
    stdout: "a.txt\ndeep/\ndeep/c.txt\n",
  },
  {
    name: "directories by defaultPath are read from the repository and beside dagger.json",
    words: call("context"),
    stdout: "a.txt b.log\nnote.txt\none\n",
  },
  {
    name: "a given directory takes the place of its defaultPath, ignore included",
    words: call("context --from-root ."),
    stdout: /^(\.\S+ )*ci\/ dagger\.json site\/\nnote\.txt\none\n$/,
  },
  { name: "optional directories and files may be left out", words: call("maybe"), stdout: "none" },
  {
    name: "optional directories and files may be given",
    words: call("maybe --dir site --file site/a.txt"),
    stdout: "3 one",
  },
  {
    name: "lists of directories and files are given by paths",
    words: call("all --dirs site/deep --dirs ci/data --files site/a.txt,site/b.log"),
    stdout: "c.txt\nnote.txt\none\ntwo\n",
  },
  {
    name: "a secret comes from a variable",
    words: call("length-of --secret env://CONFORM_SECRET"),
    env: { CONFORM_SECRET: "12 letters.." },
    stdout: "12",
  },
  { name: "a secret comes from a file", words: call("length-of --secret file://site/a.txt"), stdout: "3" },
  { name: "a secret comes from a command", words: ["length-of", "--secret", "cmd://printf abcd"], stdout: "4" },
  {
    name: "secrets come as a list",
    words: ["lengths", "--secrets", "file://site/a.txt", "--secrets", "cmd://printf ab"],
    stdout: "3\n2\n",
  },
  {
    name: "a service of this machine answers under its alias",
    words: ({ tcpPort }) => ["ask", "--service", `tcp://127.0.0.1:${tcpPort}`, "--port", String(tcpPort)],
    stdout: "hi\n",
  },
  {
    name: "a socket of this machine is one in a container",
    words: ({ socket }) => ["socket", "--socket", socket],
    stdout: "yes",
  },
  { name: "a platform is given", words: call("machine --platform linux/amd64"), stdout: "linux/amd64 x86_64" },
  {
    name: "the current platform is this machine's",
    words: call("machine --platform current"),
    stdout: new RegExp(`^linux/${architecture} `),
  },
  { name: "a container is given as an image", words: call("release --image debian:bookworm-slim"), stdout: "bookworm" },
  { name: "a cache volume is given by its key", words: call("volume --volume conform"), stdout: "x" },
  { name: "without a policy a result is kept", words: call("roll"), twice: "same" },
  { name: "a policy of never runs each time", words: call("roll-never"), twice: "different" },
  { name: "a policy of session runs in each session", words: call("roll-session"), twice: "different" },
  { name: "a policy of an hour keeps the result for so long", words: call("roll-hour"), twice: "same" },
  {
    name: "an error's message and place are told",
    words: call("throws"),
    exitCode: 1,
    stderr: /ci\/src\/index\.ts:\d+(:\d+)?: on purpose/,
  },
  {
    name: "a failing command's exit code is the call's, its output is shown",
    words: call("exits --code 7"),
    exitCode: 7,
    stdout: "",
    stderr: /to-err/,
  },
  { name: "a body can catch the error of a command", words: call("catches"), stdout: "caught 5" },
];

/** The module that the cases call; copied before it is called. */
export const conformModule = path.join(import.meta.dirname, "../../fixtures/modules/conform");
