/** Checks whether a configuration is valid, and whether it says what was meant. Needs no engine. */
export { catalogue, exampleModule, levels, type CheckCode, type CheckDescription, type Level } from "./catalogue.ts";
export { annotation, findingText } from "./render.ts";
export { validate, type Finding, type Validation } from "./validate.ts";
