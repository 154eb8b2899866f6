import assert from "node:assert/strict";
import { test } from "node:test";
import { hue, initials, labels, movement } from "./names.js";

for (const [name, want] of [
  ["Vera", "V"],
  ["Ann Mary Lee", "AL"],
  ["Vera (2)", "V"],
  ["ελένη γεωργίου", "ΕΓ"],
  ["李雷", "李"],
  ["anna.lee", "AL"],
  ["(Guest) Bob", "GB"],
  ["e\u0301lise", "É"],
  ["   ", "?"],
  ["***", "?"],
] as const) {
  test(`the initials of ${JSON.stringify(name)} are ${want}`, () => {
    assert.equal(initials(name).normalize("NFC"), want);
  });
}

test("a colour is a person's own, and one of six", () => {
  assert.equal(hue("Vera"), hue("Vera"));
  const all = new Set(Array.from("abcdefghijklmnop", hue));
  assert.deepEqual([...all].sort(), [0, 1, 2, 3, 4, 5]);
});

test("people of one name are told apart", () => {
  assert.deepEqual(labels(["Vera", "Bob", "Vera", "Vera"]), [
    "Vera",
    "Bob",
    "Vera (2)",
    "Vera (3)",
  ]);
});

test("who came and who left, oneself not counted", () => {
  const person = (id: string, me = false) => ({ id, me });
  const { came, left } = movement(
    [person("a"), person("b")],
    [person("b"), person("c"), person("d", true)],
  );
  assert.deepEqual([came, left], [[person("c")], [person("a")]]);
});
