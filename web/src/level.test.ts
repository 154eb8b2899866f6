import assert from "node:assert/strict";
import { test } from "node:test";
import { loudness } from "./level.js";

test("silence is nothing, and the loudest is all", () => {
  assert.equal(loudness(new Float32Array(64)), 0);
  assert.equal(loudness(new Float32Array(64).fill(1)), 1);
});

test("speech is somewhere in the middle", () => {
  const speech = Float32Array.from({ length: 512 }, (_, at) => 0.05 * Math.sin(at / 5));
  const level = loudness(speech);
  assert.ok(level > 0.3 && level < 0.7, String(level));
});
