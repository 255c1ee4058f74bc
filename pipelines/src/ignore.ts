/**
 * What no function reads: it is neither hashed nor sent to the engine. One list of literals, as `@argument` wants it.
 */
export const IGNORE = [
  "**/.git",
  "**/.fastloop",
  "**/node_modules",
  "**/dist",
  "**/coverage",
  "**/.venv",
  "**/__pycache__",
  "**/.pytest_cache",
  "**/target",
  "**/*.log",
];

/** Functions that only read the configuration take nothing else of the project. */
export const ONLY_CONFIG = ["**", "!fastloop.yaml", "!fastloop.lock"];
