// The lobby: who waits, who is let in, who is not, and what holds through a restart.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { call, launch, Person, Server, within } from "./harness.js";

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

const people = {
  Dora: { user: "dora" }, // the organizer
  Ann: { user: "ann" }, // who was invited
  Bob: { user: "bob" }, // a colleague
  Fred: { user: "fred@fabrikam.example" }, // of another organization
  Vera: { name: "Vera" }, // a guest
};

// signedIn has everybody sign in once, for all scopes.
async function signedIn() {
  const meeting = await server.meeting("Sign in");
  const all = {};
  for (const [name, who] of Object.entries(people)) {
    const person = await Person.open(browser, server, meeting, who);
    all[name] = person.context;
    await person.page.close();
  }
  return all;
}
let contexts;

for (const [scope, passes] of Object.entries({
  organizer: ["Dora"],
  organization: ["Dora", "Ann", "Bob"],
  organizationExcludingGuests: ["Dora", "Ann", "Bob"],
  organizationAndFederated: ["Dora", "Ann", "Bob", "Fred"],
  invited: ["Dora", "Ann"],
  everyone: ["Dora", "Ann", "Bob", "Fred", "Vera"],
})) {
  test(`who waits: ${scope}`, async () => {
    contexts ??= await signedIn();
    const subject = `Scope ${scope}`;
    const meeting = await server.meeting(subject, {
      lobbyBypassSettings: { scope },
      participants: { attendees: [{ upn: "ann@contoso.example", role: "attendee" }] },
    });
    for (const [name, who] of Object.entries(people)) {
      const person = await Person.open(browser, server, meeting, {
        ...who,
        context: contexts[name],
      });
      await person.ask();
      if (passes.includes(name)) {
        await person.inside();
      } else {
        await person.heading("Waiting to be let in").waitFor({ timeout: within });
        assert.ok(await person.page.getByText(subject).first().isVisible(), "the meeting is named");
        assert.equal(await person.page.getByRole("figure").count(), 0, "nobody is seen");
      }
      await person.page.close();
      assert.deepEqual(person.troubles, [], `${name}'s page`);
    }
  });
}

test("people are admitted, declined, removed, and come back only when admitted", async () => {
  const meeting = await server.meeting("Doors");
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  const wanda = await Person.open(browser, server, meeting, { name: "Wanda" });
  await vera.waits();
  await wanda.waits();
  await dora.button("Admit Vera").click();
  await vera.inside();
  await dora.button("Decline Wanda").click();
  await wanda.heading("You were not let in").waitFor({ timeout: within });
  await dora.sees("Vera");

  const { tab } = await vera.page.evaluate(() => ({
    tab: [...Object.values({ ...sessionStorage })].join(" "),
  }));
  assert.ok(tab, "the tab knows itself");
  await dora.openPanel("People");
  await dora.button("Remove Vera").click();
  await dora.page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await vera.heading("You were removed").waitFor({ timeout: within });
  await dora.figure("Vera").waitFor({ state: "detached", timeout: within });

  const link = new URL(meeting.joinWebUrl);
  const knock = await call(vera, "/room/knock", {
    link: link.pathname + link.search,
    name: "Vera",
  });
  assert.equal(knock.status, 403);
  assert.equal(knock.body.error.code, "barred");
  for (const person of [dora, vera, wanda]) {
    await person.close();
  }
});

test("waiting survives a restart, and so does being in the room", async () => {
  const meeting = await server.meeting("Restart");
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await vera.waits();
  const wanda = await Person.open(browser, server, meeting, { name: "Wanda" });
  await wanda.waits();
  await dora.button("Admit Wanda").click();
  await wanda.inside();
  await dora.sees("Wanda");
  await server.kill();
  await server.again();
  await dora.sees("Wanda");
  await wanda.sees("Dora");
  await vera.heading("Waiting to be let in").waitFor({ timeout: within });
  await dora.openPanel("People");
  await dora.button("Admit Vera").click();
  await vera.inside();
  await vera.sees("Dora");
  for (const person of [dora, vera, wanda]) {
    await person.close();
  }
});
