export * from "../../src/config/bundled.ts";
