import path from "node:path";
import { expect, test } from "vitest";
import { userConfigFile } from "../../../src/config/user-config.ts";
import { cacheHome, stateHome } from "../../../src/paths/index.ts";

test.each(["", ".", "somewhere"])("the user's folders are in no folder that one stands in: HOME=%j", (HOME) => {
  const before = process.env.HOME;
  process.env.HOME = HOME;
  try {
    for (const folder of [
      cacheHome({ HOME }),
      stateHome({ HOME }),
      stateHome({ HOME, XDG_STATE_HOME: "x" }),
      userConfigFile({ HOME }),
    ]) {
      expect(path.isAbsolute(folder)).toBe(true);
      expect(folder.startsWith(process.cwd())).toBe(false);
    }
  } finally {
    process.env.HOME = before;
  }
});
