import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces } from "./links.js";

for (const [message, want] of [
  ["nothing here", [{ text: "nothing here" }]],
  ["https://a.example/b?c=d", [{ link: "https://a.example/b?c=d" }]],
  [
    "See https://a.example, and (http://b.example/c).",
    [
      { text: "See " },
      { link: "https://a.example" },
      { text: ", and (" },
      { link: "http://b.example/c" },
      { text: ")." },
    ],
  ],
  ["javascript:alert(1)", [{ text: "javascript:alert(1)" }]],
  ["http://", [{ text: "http://" }]],
  [
    '<a href="https://x.example">',
    [{ text: '<a href="' }, { link: "https://x.example" }, { text: '">' }],
  ],
  ["", []],
] as const) {
  test(`the pieces of ${JSON.stringify(message)}`, () => {
    assert.deepEqual(pieces(message), want);
  });
}
