import { describe } from "vitest";
import { fastloopCaller, moduleSuite } from "./suite.ts";

describe("a module on the embedded engine", () => moduleSuite(() => fastloopCaller(["--engine", "embedded"])));
