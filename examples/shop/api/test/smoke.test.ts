import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../src/app.ts";

test("the service says that it is well", async () => {
  const response = await createApp().request("/health");
  assert.deepEqual(await response.json(), { status: "ok" });
});
