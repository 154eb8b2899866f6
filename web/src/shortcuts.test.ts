import assert from "node:assert/strict";
import { test } from "node:test";
import { command, keys, type Press } from "./shortcuts.js";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  repeat: false,
  ...more,
});

test("a key is a command, in either case", () => {
  assert.equal(command(press("m"), false), "microphone");
  assert.equal(command(press("M"), false), "microphone");
  assert.equal(command(press("?"), false), "help");
  assert.equal(command(press("x"), false), undefined);
});

test("no key is one while something is being written", () => {
  assert.equal(command(press("m"), true), undefined);
});

test("keys that belong to the browser stay the browser's", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"] as const) {
    assert.equal(command(press("s", { [held]: true }), false), undefined, held);
  }
});

test("a key that is held down counts once", () => {
  assert.equal(command(press("m", { repeat: true }), false), undefined);
});

test("no key has two meanings", () => {
  assert.equal(new Set(keys.map(({ key }) => key)).size, keys.length);
});
