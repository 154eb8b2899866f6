import assert from "node:assert/strict";
import { test } from "node:test";
import { outcome } from "./copy.js";

test("the text itself is copied", async () => {
  const copied: string[] = [];
  const said = await outcome(
    { writeText: async (text) => void copied.push(text) },
    "https://a/b?c=%3a",
  );
  assert.deepEqual([said, copied], ["Copied.", ["https://a/b?c=%3a"]]);
});

test("a refusal says what to do instead", async () => {
  const said = await outcome({ writeText: () => Promise.reject(new Error("denied")) }, "text");
  assert.match(said, /Select the text and copy it/);
});
