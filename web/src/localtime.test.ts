import assert from "node:assert/strict";
import { test } from "node:test";
import { localText, type Reader } from "./localtime.js";

const berlin: Reader = { locales: ["en-GB"], timeZone: "Europe/Berlin" };

// Words and order are the language's, and change with its data; what is said must not.

for (const { name, start, end, reader, want } of [
  {
    name: "a moment in the reader's zone",
    start: "2031-02-06T01:49:21Z",
    reader: berlin,
    want: ["Thursday", "6 February 2031", "02:49", "CET"],
  },
  {
    name: "summer time",
    start: "2031-07-06T01:49:00.1234567Z",
    reader: berlin,
    want: ["Sunday", "6 July 2031", "03:49", "CEST"],
  },
  {
    name: "a day earlier further west, in the reader's own language",
    start: "2031-02-06T01:49:21Z",
    reader: { locales: ["de-DE"], timeZone: "America/New_York" },
    want: ["Mittwoch", "5. Februar 2031", "20:49", "GMT-5"],
  },
  {
    name: "a span names the day once",
    start: "2031-02-06T08:00:00Z",
    end: "2031-02-06T09:30:00Z",
    reader: berlin,
    want: ["Thursday", "6 February 2031", "09:00", "10:30", "CET"],
  },
  {
    name: "a span that ends when it starts is a moment",
    start: "2031-02-06T08:00:00Z",
    end: "2031-02-06T08:00:00Z",
    reader: berlin,
    want: ["Thursday", "6 February 2031", "09:00", "CET"],
  },
  {
    name: "another offset",
    start: "2031-02-06T08:00:00+05:30",
    reader: berlin,
    want: ["Thursday", "6 February 2031", "03:30", "CET"],
  },
  { name: "no zone is no moment", start: "2031-02-06T08:00:00", reader: berlin },
  { name: "a day is no moment", start: "2031-02-06", reader: berlin },
  { name: "no such day", start: "2031-02-36T08:00:00Z", reader: berlin },
  { name: "nothing", start: "", reader: berlin },
  { name: "an end that is none", start: "2031-02-06T08:00:00Z", end: "soon", reader: berlin },
  {
    name: "an end before the start",
    start: "2031-02-06T08:00:00Z",
    end: "2031-02-06T07:00:00Z",
    reader: berlin,
  },
]) {
  test(name, () => {
    const got = localText(start, end, reader)?.text;
    assert.equal(got === undefined, want === undefined, `said ${got}`);
    for (const part of want ?? []) {
      assert.equal(got?.split(part).length, 2, `${part} once in ${got}`);
    }
  });
}

test("the language of the text is told", () => {
  const said = localText("2031-02-06T01:49:21Z", undefined, { locales: ["fr-CA", "en"] });
  assert.equal(said?.locale, "fr-CA");
});

test("without a reader it is the browser's own zone and language", () => {
  assert.ok(localText("2031-02-06T01:49:21Z")?.text.includes("2031"));
});
