import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { texts } from "./texts.js";

// The tests run from where they are compiled to; the texts are where they are written.
const folder = fileURLToPath(new URL("../../../../src/lang/", import.meta.url));
const table = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(`${folder}${language}.json`, "utf8"));
const languages = readdirSync(folder).map((name) => name.replace(".json", ""));

test("a value takes its place", () => {
  const say = texts("en", { came: "{name} joined" });
  assert.equal(say("came", { name: "{name} <b>" }), "{name} <b> joined");
});

test("a place without a value stays", () => {
  assert.equal(texts("en", { came: "{name} joined" })("came"), "{name} joined");
});

test("a text that is missing is its key", () => {
  assert.equal(texts("en", {})("came"), "came");
});

test("the count chooses the form of its language, and is written as there", () => {
  const english = texts("en", { unread_one: "{count} message", unread_other: "{count} messages" });
  assert.equal(english("unread", { count: 1 }), "1 message");
  assert.equal(english("unread", { count: 1200 }), "1,200 messages");
  const polish = texts("pl", { unread_few: "{count} few", unread_other: "{count} other" });
  assert.equal(polish("unread", { count: 3 }), "3 few");
});

test("a form that a language has not written is the general one", () => {
  assert.equal(
    texts("en", { unread_other: "{count} messages" })("unread", { count: 1 }),
    "1 messages",
  );
});

test("there are at least English and Greek", () => {
  assert.ok(languages.includes("en") && languages.includes("el"), languages.join());
});

// stems are the keys without their plural forms, of which each language has its own.
const stems = (of: Record<string, string>) =>
  new Set(Object.keys(of).map((key) => key.replace(/_(zero|one|two|few|many|other)$/, "")));
const places = (said: string) => (said.match(/\{\w+\}/g) ?? []).sort();

for (const language of languages) {
  test(`${language} says everything that English does, and nothing else`, () => {
    assert.deepEqual([...stems(table(language))].sort(), [...stems(table("en"))].sort());
  });

  test(`${language} has the same places for values`, () => {
    const english = table("en");
    for (const [key, said] of Object.entries(table(language))) {
      const model = english[key] ?? english[key.replace(/_\w+$/, "_other")] ?? "";
      assert.deepEqual(places(said), places(model), key);
      assert.notEqual(said.trim(), "", key);
    }
  });

  test(`${language} has every plural form that it needs`, () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    const keys = table(language);
    for (const key of Object.keys(keys).filter((name) => name.endsWith("_other"))) {
      for (const form of pluralCategories) {
        assert.ok(keys[key.replace("_other", `_${form}`)], `${key}: ${form}`);
      }
    }
  });
}
