// The extension listMeetings with the Graph client's own PageIterator. Run with a server whose tenant has it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PageIterator } from "@microsoft/microsoft-graph-client";
import { graphClient } from "../graph-client.js";
import { ann } from "../world.js";

const client = graphClient();
const meetings = `/users/${ann.id}/onlineMeetings`;

/** subjects iterates over all pages from the first one, or over as many meetings as are wanted. */
async function subjects(first, wanted = Number.POSITIVE_INFINITY) {
  const names = [];
  const iterator = new PageIterator(client, first, (meeting) => {
    names.push(meeting.subject);
    return names.length < wanted;
  });
  await iterator.iterate();
  return { names, iterator };
}

test("all meetings, page by page", async () => {
  const days = Array.from({ length: 7 }, (_, i) => `2031-02-0${i + 1}`);
  for (const day of days.toReversed()) {
    const startDateTime = `${day}T09:00:00Z`;
    await client.api(meetings).post({ subject: day, startDateTime });
  }
  const list = () => client.api(meetings).select(["subject"]);

  const first = await list().top(3).count(true).get();
  assert.deepEqual([first.value.length, first["@odata.count"]], [3, 7]);
  assert.deepEqual((await subjects(first)).names, days);

  const backwards = await list().orderby("startDateTime desc").top(2).get();
  assert.deepEqual((await subjects(backwards)).names, days.toReversed());

  const later = await list().filter("startDateTime ge 2031-02-05T00:00:00Z").top(1).get();
  assert.deepEqual((await subjects(later)).names, days.slice(4));

  const whole = await list().get();
  assert.deepEqual([whole.value.length, whole["@odata.nextLink"]], [7, undefined]);
});

test("an iterator that was stopped goes on where it was", async () => {
  const first = await client.api(meetings).select(["subject"]).top(2).get();
  const { names, iterator } = await subjects(first, 3);
  assert.deepEqual([names.length, iterator.isComplete()], [3, false]);
  await iterator.resume();
  assert.deepEqual([names.length, names.at(-1)], [4, "2031-02-04"]);
});

test("a page that is none is read as an error", async () => {
  await assert.rejects(client.api(meetings).query({ $skiptoken: "mine" }).get(), (error) => {
    assert.deepEqual([error.statusCode, error.code], [400, "BadRequest"]);
    assert.match(error.message, /none that this server has given out/);
    return true;
  });
});
