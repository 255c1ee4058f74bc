import { emptyDirectory } from "../values/rooted.ts";
import { ApiError } from "../values/errors.ts";
import { id, typeModule, type TypeModule } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { Directory } from "../values/values.ts";

/** Module whose functions the session runs. */
interface CurrentModule {
  readonly type: "CurrentModule";
  readonly name: string;
  readonly sourceDir: string;
}

const sdl = /* GraphQL */ `
  "Reflective module API provided to functions at runtime."
  type CurrentModule implements Node {
    id: ID!
    name: String!
    source: Directory!
  }

  extend type Query {
    currentModule: CurrentModule!
  }
`;

export const currentModuleModules: TypeModule[] = [
  typeModule<CurrentModule>("CurrentModule", sdl, {
    id,
    source: async ({ sourceDir }, _args: object, call) => {
      const exclude = ["node_modules", "sdk", ".git"].map((name) => `**/${name}`);
      return {
        ...emptyDirectory,
        tree: await call.session.hostTrees.directory(sourceDir, { exclude }, false, call.signal),
      } satisfies Directory;
    },
  }),
  typeModule<unknown>("Query", "", { currentModule: (_root, _args: object, call) => currentModule(call) }),
];

function currentModule(call: Call): CurrentModule {
  const { module } = call.session.options;
  if (module === undefined) throw new ApiError("no current module: this session runs no module's functions");
  return { type: "CurrentModule", ...module };
}
