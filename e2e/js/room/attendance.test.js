// What happened in the room is what the API says: attendance equal to what the browsers did, also
// when one dies, a tab is doubled, or the network is away for a while.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, Person, Server, until, within } from "./harness.js";

let browser;
let server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.end();
});

/** reports are those of a meeting, with their records, when there are so many. */
async function reports(meeting, count) {
  const path = `/v1.0/me/onlineMeetings/${meeting.id}/attendanceReports`;
  let list;
  await until(
    `${count} reports are there`,
    async () => {
      list = (await server.graph("dora", "GET", path)).value;
      return list.length === count;
    },
    30_000,
  );
  return Promise.all(
    list.map((report) =>
      server.graph("dora", "GET", `${path}/${report.id}?$expand=attendanceRecords`),
    ),
  );
}

test("attendance is what the browsers did", async () => {
  const meeting = await server.meeting("Attendance", {
    lobbyBypassSettings: { scope: "organization" },
  });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await vera.waits();
  const never = await Person.open(browser, server, meeting, { name: "Never" });
  await never.waits();
  const admitted = Date.now();
  await dora.button("Admit Vera").click();
  await vera.inside();
  await dora.figure("Vera").waitFor({ timeout: within });
  await vera.leave();
  await dora.figure("Vera").waitFor({ state: "detached", timeout: within });
  const left = Date.now();
  await vera.button("Rejoin").click();
  await vera.inside();
  await dora.figure("Vera").waitFor({ timeout: within });

  // Another browser dies without a word.
  const mortal = await launch();
  const bob = await Person.open(mortal, server, meeting, { user: "bob" });
  await bob.join();
  await dora.figure("Bob").waitFor({ timeout: within });
  // A second tab of the same person is the same person.
  const twin = await Person.open(mortal, server, meeting, { name: "Bob", context: bob.context });
  await twin.join();
  await dora.figure("Bob (2)").waitFor({ timeout: within });
  await mortal.close();
  await dora.figure("Bob").waitFor({ state: "detached", timeout: within });

  await vera.close();
  await never.close();
  await dora.leave();
  const [report] = await reports(meeting, 1);
  const records = Object.fromEntries(
    report.attendanceRecords.map((record) => [record.identity.displayName, record]),
  );
  assert.deepEqual(Object.keys(records).sort(), ["Bob", "Dora", "Vera"]);
  assert.equal(report.totalParticipantCount, 3);
  assert.equal(records.Dora.role, "Organizer");
  assert.equal(records.Dora.emailAddress, "dora@contoso.example");
  assert.equal(
    records.Vera.attendanceIntervals.length,
    2,
    "who came back is one record with two intervals",
  );
  assert.equal(records.Bob.attendanceIntervals.length, 1, "doubled tabs are one interval");
  const [first] = records.Vera.attendanceIntervals;
  assert.ok(
    new Date(first.joinDateTime) >= admitted - 1000,
    "the time in the lobby does not count",
  );
  assert.ok(new Date(first.leaveDateTime) <= left + 1000);
  for (const record of Object.values(records)) {
    const sum = record.attendanceIntervals.reduce((total, i) => total + i.durationInSeconds, 0);
    assert.ok(Math.abs(sum - record.totalAttendanceInSeconds) <= record.attendanceIntervals.length);
  }

  // Organizers have it as a file.
  const address = new URL(meeting.joinWebUrl);
  address.pathname += "/attendance.csv";
  const csv = await dora.page.evaluate(async (url) => (await fetch(url)).text(), address.href);
  assert.match(csv, /^Name,Email,Role,/);
  assert.equal(csv.trim().split("\r\n").length, 1 + 1 + 2 + 1);
  await dora.close();
});

test("a reload and a network that was away are no other session", async () => {
  const meeting = await server.meeting("Reload", { lobbyBypassSettings: { scope: "everyone" } });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await vera.join();
  await dora.sees("Vera");
  await vera.page.reload();
  await vera.inside();
  await dora.sees("Vera");
  await vera.context.setOffline(true);
  await vera.page.getByText("Reconnecting", { exact: false }).first().waitFor({ timeout: within });
  await vera.context.setOffline(false);
  await vera.sees("Dora");
  await dora.sees("Vera");
  await vera.close();
  await dora.leave();
  await dora.close();
  const [report] = await reports(meeting, 1);
  assert.equal(report.totalParticipantCount, 2);
});
