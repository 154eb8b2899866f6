// What the page says, in its language. The server puts the texts into the page, so that they cost
// no request and none of the script's size:
//
//   <script type="application/json" id="texts">{"mute":"Mute","waiting_one":"{count} person …"}</script>
//
// A text that depends on a count has one key per plural form of its language: stem_one, stem_other.

import type en from "./lang/en.json";

type Stem<Name> = Name extends `${infer S}_${Intl.LDMLPluralRule}` ? S : Name;

/** The keys that a text can be asked for by; plural forms share their stem. */
export type Key = Stem<keyof typeof en>;

export type Values = Readonly<Record<string, string | number>>;

/** Says a text; {name} in it becomes values.name, and values.count chooses the plural form. */
export type Say = (key: Key, values?: Values) => string;

/** texts makes a Say of a language and its table. A text that is missing shows as its key. */
export function texts(language: string, table: Readonly<Record<string, string>>): Say {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (key, values = {}) => {
    const count = values["count"];
    const form = typeof count === "number" ? `${key}_${rules.select(count)}` : key;
    const found = table[form] ?? table[`${key}_other`] ?? table[key] ?? key;
    return found.replace(/\{(\w+)\}/g, (all, name: string) => {
      const value = values[name];
      return typeof value === "number" ? numbers.format(value) : (value ?? all);
    });
  };
}

let own: Say | undefined;

/** text says a text of the page. */
export const text: Say = (key, values) => {
  if (!own) {
    const block = document.getElementById("texts")?.textContent ?? "{}";
    own = texts(document.documentElement.lang || "en", JSON.parse(block));
  }
  return own(key, values);
};

/** reason says why something is not allowed: the server sends the key of a text. */
export function reason(key: string | undefined): string {
  const said = key ? text(key as Key) : "";
  return said === "" || said === key ? text("mayNot") : said;
}
