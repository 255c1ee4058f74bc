import { describe } from "vitest";
import { conformanceSuite } from "./suite.ts";

describe("the embedded engine answers as it must", () => conformanceSuite("embedded"));
