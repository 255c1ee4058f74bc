import { expect, test } from "vitest";
import { withoutFolders } from "../../../src/text/index.ts";

test.each([
  [
    "embedded on /usr/local/bin/buildkitd of 61 bytes and 2026-01-01T00:00:00.000Z, fastloop ab12",
    "embedded on buildkitd of 61 bytes and 2026-01-01T00:00:00.000Z, fastloop ab12",
  ],
  [
    "dagger by /home/jo doe/my bin/dagger of 3 bytes and now on tcp://box:1",
    "dagger by dagger of 3 bytes and now on tcp://box:1",
  ],
  ["embedded on unix:///run/user/1000/buildkit.sock, fastloop ab12", "embedded on unix://buildkit.sock, fastloop ab12"],
  [
    "dagger by the SDK on docker-image://registry.example/engine:v1",
    "dagger by the SDK on docker-image://registry.example/engine:v1",
  ],
  ["embedded on buildkitd, bodies by module, fastloop ", "embedded on buildkitd, bodies by module, fastloop "],
  ["test --source src/app/main.go", "test --source src/app/main.go"],
])("%s", (line, shown) => {
  expect(withoutFolders(line)).toBe(shown);
});
