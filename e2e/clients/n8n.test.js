// n8n's Microsoft Teams node drives every operation that it has for online meetings.

import "./redirect.cjs";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, test } from "node:test";
import { listen, visit } from "../js/browser.js";
import { ann, bob, booking, contoso, crm, dora, studio, url } from "../js/world.js";
import { connectionWorks, signIn, withSecret, withToken } from "./n8n.js";

const byId = ({ id }) => ({ meetingId: { mode: "id", value: id } });
const byUrl = ({ joinWebUrl }) => ({ meetingId: { mode: "url", value: joinWebUrl } });
const of = (user) => ({ organizerId: { mode: "id", value: user } });

/** refused expects an error of the node's own kind, whose text and hint it shows to people. */
function refused(request, name, message, hint) {
  return assert.rejects(request, (error) => {
    assert.equal(error.constructor.name, name, error.stack);
    assert.match(error.message, message);
    assert.match(error.description ?? "", hint);
    return true;
  });
}

describe("for somebody who signed in", () => {
  let node;

  before(async () => {
    const back = await listen();
    try {
      const visited = (address) => visit(address, ann, back.called);
      const token = await signIn(studio, `${url}/common`, back.redirect, visited);
      // It asks for more than there is: chats, channels, groups. What there is was given.
      assert.match(token.data.scope, /OnlineMeetings.ReadWrite( |$)/);
      node = withToken(token, url);
    } finally {
      back.close();
    }
  });

  test("a meeting from its making to its end", async () => {
    const [made] = await node.run("create", {
      subject: "Quarterly Sync",
      startDateTime: "2031-02-06T10:00:00", // in the workflow's time zone
      endDateTime: "2031-02-06T11:00:00.000+01:00",
      options: {
        lobbyBypassScope: "organizationExcludingGuests",
        allowMeetingChat: "limited",
        allowedPresenters: "organizer",
        allowAttendeeToEnableMic: false,
        allowTeamworkReactions: false,
        isEntryExitAnnounced: false,
        recordAutomatically: true,
        passcodeRequired: true,
      },
    });
    assert.equal(made.participants.organizer.identity.user.id, ann.id);
    assert.match(made.startDateTime, /^2031-02-06T09:00:00/);
    assert.match(made.endDateTime, /^2031-02-06T10:00:00/);
    assert.equal(made.lobbyBypassSettings.scope, "organizationExcludingGuests");
    assert.deepEqual([made.allowMeetingChat, made.allowedPresenters], ["limited", "organizer"]);
    assert.deepEqual(
      [made.allowAttendeeToEnableMic, made.allowAttendeeToEnableCamera],
      [false, true],
    );
    assert.deepEqual([made.isEntryExitAnnounced, made.recordAutomatically], [false, true]);
    assert.match(made.joinMeetingIdSettings.passcode, /./);

    for (const where of [byId(made), byUrl(made)]) {
      const [read] = await node.run("get", where);
      assert.deepEqual([read.id, read.subject], [made.id, "Quarterly Sync"]);
    }
    const [changed] = await node.run("update", {
      ...byUrl(made),
      updateFields: { subject: "Monthly Sync", lobbyBypassScope: "everyone" },
    });
    assert.deepEqual([changed.id, changed.subject], [made.id, "Monthly Sync"]);
    assert.equal(changed.lobbyBypassSettings.scope, "everyone");
    assert.equal(changed.startDateTime, made.startDateTime);

    assert.deepEqual(await node.run("deleteMeeting", byId(made)), [{ success: true }]);
    const hint = /^Check that the 'Meeting' parameter is correctly set$/;
    const gone = (what) => new RegExp(`^The meeting you are trying to ${what} doesn't exist$`);
    const error = "NodeOperationError";
    await refused(node.run("get", byId(made)), error, gone("get"), hint);
    await refused(node.run("deleteMeeting", byId(made)), error, gone("delete"), hint);
    const subject = { updateFields: { subject: "Too late" } };
    await refused(node.run("update", { ...byId(made), ...subject }), error, gone("update"), hint);
  });

  test("createOrGet makes one meeting of an external id", async () => {
    const externalId = randomUUID();
    const [made] = await node.run("createOrGet", {
      externalId,
      options: { subject: "Kickoff", startDateTime: "2031-02-06T10:00:00" },
    });
    const [again] = await node.run("createOrGet", { externalId, options: { subject: "Ignored" } });
    assert.deepEqual([made.externalId, made.subject], [externalId, "Kickoff"]);
    assert.deepEqual([again.id, again.subject], [made.id, "Kickoff"]);
    const backwards = { startDateTime: "2031-02-06T10:00:00", endDateTime: "2031-02-06T09:00:00" };
    const request = node.run("createOrGet", { externalId: randomUUID(), options: backwards });
    await refused(request, "NodeApiError", /Time/, /^$/);
  });
});

describe("for an application", () => {
  const node = withSecret(contoso, booking);

  test("the credential's own test of its connection", async () => {
    const document = await connectionWorks(contoso, booking);
    assert.ok(document.value.some(({ name }) => name === "users"));
    await assert.rejects(connectionWorks(contoso, { ...booking, secret: "another" }));
  });

  test("a meeting from its making to its end", async () => {
    const [made] = await node.run("create", {
      ...of(bob.name), // looked up first
      subject: "Review",
      startDateTime: "2031-02-06T09:00:00Z",
      endDateTime: "2031-02-06T09:30:00Z",
    });
    assert.equal(made.participants.organizer.identity.user.id, bob.id);
    for (const where of [byId(made), byUrl(made)]) {
      const [read] = await node.run("get", { ...of(bob.id), ...where });
      assert.equal(read.id, made.id);
    }
    const times = { startDateTime: "2031-02-07T09:00:00Z", endDateTime: "2031-02-07T10:00:00Z" };
    const [changed] = await node.run("update", {
      ...of(bob.id),
      ...byId(made),
      updateFields: times,
    });
    assert.deepEqual([changed.subject, changed.startDateTime], ["Review", "2031-02-07T09:00:00Z"]);
    const ended = await node.run("deleteMeeting", { ...of(bob.id), ...byUrl(made) });
    assert.deepEqual(ended, [{ success: true }]);
    const hint = /^Check that the 'Meeting' and 'Organizer' parameters are correctly set$/;
    const request = node.run("get", { ...of(bob.id), ...byId(made) });
    await refused(request, "NodeOperationError", /trying to get doesn't exist$/, hint);
  });

  test("createOrGet makes one meeting of an external id", async () => {
    const kickoff = { ...of(ann.id), externalId: randomUUID() };
    const [made] = await node.run("createOrGet", kickoff);
    const [again] = await node.run("createOrGet", kickoff);
    assert.equal(again.id, made.id);
  });

  test("its texts for a missing policy, permission and organizer", async () => {
    const meeting = (user) => ({ ...of(user), externalId: randomUUID() });
    const policy = /Teams application access policy .*Grant-CsApplicationAccessPolicy/;
    const detail = /^OnlineMeetings.Read.All is enough for Get/;
    const error = "NodeApiError";
    await refused(node.run("createOrGet", meeting(dora.id)), error, policy, detail);
    const lookup = /^Resolving the organizer needs the User.Read.All application permission/;
    const other = withSecret(contoso, crm);
    await refused(other.run("createOrGet", meeting(dora.name)), error, lookup, /User.Read.All/);
    const user = /^Check that the 'Organizer' parameter is a user in the tenant$/;
    for (const nobody of ["nobody@contoso.example", randomUUID()]) {
      const request = node.run("createOrGet", meeting(nobody));
      await refused(request, "NodeOperationError", /^Organizer not found$/, user);
    }
    const [made] = await node.run("createOrGet", meeting(ann.id));
    const url = { ...byUrl(made), ...of(bob.id) };
    await refused(node.run("get", url), error, policy, detail);
  });

  test("the list of organizers to choose from, without a text to search by", async () => {
    const { results, paginationToken } = await node.users();
    assert.equal(paginationToken, undefined);
    assert.ok(results.some(({ name, value }) => name === `Ann (${ann.name})` && value === ann.id));
    // It searches with $search, which is not offered.
    await refused(node.users("ann"), "NodeApiError", /HTTP 400/, /^/);
  });
});
