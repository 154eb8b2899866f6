// The CLI for Microsoft 365, as it is published, runs its commands for online meetings. It writes to Microsoft's hosts
// alone, which lead to the server here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ann, approve, bob, booking, contoso, dora, password, portal } from "../js/world.js";

const program = fileURLToPath(import.meta.resolve("@pnp/cli-microsoft365/dist/index.js"));
const redirect = fileURLToPath(import.meta.resolve("./redirect.cjs"));
const folder = mkdtempSync(join(tmpdir(), "convene-m365-"));

after(() => rm(folder, { recursive: true, force: true }));

// What was decided once about the CLI itself.
before(() => m365()("cli config set", { key: "disableTelemetry", value: "true" }));

/** m365 is the command of somebody who has signed in nowhere yet. */
function m365() {
  const env = {
    ...process.env,
    HOME: mkdtempSync(join(folder, "home-")),
    XDG_CONFIG_HOME: folder,
    NO_UPDATE_NOTIFIER: "1",
    NODE_OPTIONS: `--require ${redirect}`,
  };
  // What it prints comes back as JSON; what it says meanwhile goes to said.
  return async (command, options = {}, said = () => {}) => {
    const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const args = [program, ...command.split(" "), ...given, "--output", "json"];
    const run = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    run.stderr.on("data", (chunk) => said(String(chunk)));
    const [printed, errors, [status]] = await Promise.all([
      text(run.stdout),
      text(run.stderr),
      once(run, "close"),
    ]);
    if (status !== 0) {
      throw new Error(errors);
    }
    return printed && JSON.parse(printed);
  };
}

const times = { startTime: "2031-02-06T09:00:00Z", endTime: "2031-02-06T10:00:00Z" };

describe("with an application's secret", () => {
  const run = m365();
  let made;

  before(async () => {
    const app = { appId: booking.id, tenant: contoso, secret: booking.secret };
    const { connectedAs } = await run("login --authType secret", app);
    assert.equal(connectedAs, "booking");
    made = await run("teams meeting add --recordAutomatically", {
      ...times,
      subject: "Review",
      organizerEmail: ann.name,
      participantUserNames: bob.name,
    });
  });

  test("teams meeting add, get", async () => {
    assert.deepEqual([made.subject, made.recordAutomatically], ["Review", true]);
    assert.equal(made.startDateTime, times.startTime);
    assert.equal(made.participants.organizer.identity.user.id, ann.id);
    assert.deepEqual(
      made.participants.attendees.map(({ upn }) => upn),
      [bob.name],
    );
    const joinUrl = made.joinWebUrl;
    for (const user of [{ userId: ann.id }, { userName: ann.name }, { email: ann.name }]) {
      const { id } = await run("teams meeting get", { ...user, joinUrl });
      assert.equal(id, made.id, JSON.stringify(user));
    }
  });

  test("teams meeting attendancereport and transcript", async () => {
    const meetingId = made.id;
    const one = { email: ann.name, meetingId };
    for (const user of [{ userId: ann.id }, { userName: ann.name }]) {
      const all = { ...user, meetingId };
      assert.deepEqual(await run("teams meeting attendancereport list", all), []);
      assert.deepEqual(await run("teams meeting transcript list", all), []);
    }
    const report = run("teams meeting attendancereport get", { ...one, id: randomUUID() });
    await assert.rejects(report, /Error: The meeting has no attendance report with this id/);
    const transcript = run("teams meeting transcript get", { ...one, id: "none" });
    await assert.rejects(transcript, /Error: The meeting has no transcript with this id/);
  });

  test("refusals are told", async () => {
    const joinUrl = made.joinWebUrl;
    const add = run("teams meeting add", { organizerEmail: dora.name });
    await assert.rejects(add, /Error: No application access policy found for this app/);
    const get = run("teams meeting get", { userId: bob.id, joinUrl });
    await assert.rejects(get, /Error: 3003: User does not have access to lookup meeting/);
    const nobody = run("teams meeting add", { organizerEmail: "nobody@contoso.example" });
    await assert.rejects(nobody, /Error: The specified user with email nobody/);
  });

  test("teams meeting list asks the calendar, which is not offered", async () => {
    const list = { email: ann.name, startDateTime: "2031-01-01T00:00:00Z" };
    await assert.rejects(
      run("teams meeting list", list),
      /Resource not found for the segment 'events'/,
    );
  });

  test("request: createOrGet, and the batch behind teams meeting list", async () => {
    const url = `@graph/users/${ann.id}/onlineMeetings/createOrGet`;
    const body = JSON.stringify({ externalId: randomUUID() });
    const post = "request --method post --content-type application/json";
    const [first, second] = [await run(post, { url, body }), await run(post, { url, body })];
    assert.equal(second.id, first.id);
    const filter = (meeting) => `$filter=joinWebUrl eq '${encodeURIComponent(meeting.joinWebUrl)}'`;
    const requests = [made, first].map((meeting, id) => ({
      id,
      method: "GET",
      url: `users/${ann.id}/onlineMeetings?${filter(meeting)}`,
    }));
    const batch = { url: "@graph/$batch", body: JSON.stringify({ requests }) };
    const { responses } = await run(post, batch);
    assert.deepEqual(
      responses.map(({ body }) => body.value[0].id),
      [made.id, first.id],
    );
  });

  test("entra user get, list", async () => {
    const user = await run("entra user get", { userName: ann.name });
    assert.deepEqual([user.id, user.displayName], [ann.id, "Ann"]);
    const users = await run("entra user list");
    assert.ok(users.some(({ userPrincipalName }) => userPrincipalName === bob.name));
  });
});

describe("as a user", () => {
  const app = { appId: portal.id, tenant: contoso };

  test("login by password, then one's own meetings", async () => {
    const run = m365();
    const userName = ann.name;
    const wrong = run("login --authType password", { ...app, userName, password: "wrong" });
    await assert.rejects(wrong, /AADSTS50126/);
    await run("login --authType password", { ...app, userName, password });
    const made = await run("teams meeting add", { ...times, subject: "Mine" });
    assert.equal(made.participants.organizer.identity.user.id, ann.id);
    const read = await run("teams meeting get", { joinUrl: made.joinWebUrl });
    assert.equal(read.subject, "Mine");
    const meeting = { meetingId: made.id };
    assert.deepEqual(await run("teams meeting attendancereport list", meeting), []);
    const transcripts = run("teams meeting transcript list", meeting);
    await assert.rejects(transcripts, /scope\) OnlineMeetingTranscript.Read.All/);
  });

  test("login by device code", async () => {
    let approved;
    const { connectedAs } = await m365()("login --authType deviceCode", app, (text) => {
      const [, code] = text.match(/enter the code (\S+)/) ?? [];
      if (code) {
        approved = approve(code, bob);
      }
    });
    await approved;
    assert.equal(connectedAs, bob.name);
  });
});
