/**
 * Files that no function reads, so that they are neither hashed nor sent to the engine. The scanner of `@argument`
 * needs an array of literals.
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

/** For functions that read only the configuration and the lock. */
export const ONLY_CONFIG = ["**", "!fastloop.yaml", "!fastloop.lock"];
