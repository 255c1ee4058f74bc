/** Terminal, JSON, CI formats. Renders events only. */
export { githubReporter, junit } from "./github.ts";
export { jsonReporter } from "./json.ts";
export { plainReporter } from "./plain.ts";
export { causes, duration, painter, plural, shortDigest, type Paint } from "./text.ts";
