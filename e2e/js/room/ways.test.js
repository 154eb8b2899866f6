// The ways in: meeting id and passcode, options for organizers, and what the page says to those who
// cannot come in.

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

test("a meeting id and a passcode, guessed ten times", async () => {
  const meeting = await server.meeting("Passcode", {
    joinMeetingIdSettings: { isPasscodeRequired: true },
  });
  const { joinMeetingId, passcode } = meeting.joinMeetingIdSettings;
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const enter = async (code) => {
    await page.goto(`${server.url}/meet`);
    await page
      .getByRole("textbox", { name: "Meeting ID", exact: true })
      .fill(joinMeetingId.replace(/(...)/g, "$1 "));
    const box = page.getByRole("textbox", { name: "Passcode", exact: true });
    await box.fill(code);
    const [response] = await Promise.all([page.waitForNavigation(), box.press("Enter")]);
    return response.status();
  };
  assert.equal(await enter(passcode), 200);
  await page.getByRole("heading", { name: "Passcode", exact: true }).waitFor();
  for (let i = 0; i < 10; i++) {
    assert.equal(await enter(`wrong${i}`), 403);
  }
  assert.equal(await enter(passcode), 429);
  await page.getByRole("heading", { name: "Too many attempts", exact: true }).waitFor();
  await page.goto(meeting.joinWebUrl);
  await page.getByRole("button", { name: "Join now", exact: true }).waitFor();
  await context.close();
});

test("deleted links are gone, others never were", async () => {
  const meeting = await server.meeting("Gone");
  await server.graph("dora", "DELETE", `/v1.0/me/onlineMeetings/${meeting.id}`);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  for (const [address, status] of [
    [meeting.joinWebUrl, 410],
    [meeting.joinWebUrl.replace(/meeting_../, "meeting_zz"), 404],
  ]) {
    const response = await page.goto(address);
    assert.equal(response.status(), status, address);
    await page.getByRole("heading", { name: "This meeting does not exist", exact: true }).waitFor();
  }
  await context.close();
});

test("organizers change the options, and they hold at once", async () => {
  const meeting = await server.meeting("Options", { lobbyBypassSettings: { scope: "everyone" } });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await vera.join();
  const page = await dora.context.newPage();
  await page.goto(meeting.meetingOptionsWebUrl);
  await page.getByRole("combobox", { name: "Meeting chat", exact: true }).selectOption("Off");
  await page.getByRole("checkbox", { name: "Reactions", exact: true }).uncheck();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "saved" }).waitFor();
  const now = await server.graph("dora", "GET", `/v1.0/me/onlineMeetings/${meeting.id}`);
  assert.equal(now.allowMeetingChat, "disabled");
  assert.equal(now.allowTeamworkReactions, false);
  await until(
    "Vera may not write",
    async () => (await vera.button("Chat").getAttribute("aria-disabled")) === "true",
  );
  await dora.close();
  await vera.close();

  const bob = await Person.open(browser, server, meeting, { user: "bob" });
  const response = await bob.page.goto(meeting.meetingOptionsWebUrl);
  assert.equal(response.status(), 403);
  await bob.close();
});

test("who signs out is a guest at the same door", async () => {
  const meeting = await server.meeting("Sign out");
  const ann = await Person.open(browser, server, meeting, { user: "ann", name: "Ann" });
  await ann.button("Sign out").click();
  await ann.page.getByRole("link", { name: "Sign in", exact: true }).waitFor({ timeout: within });
  await ann.waits();
  await ann.close();
});

test("who was muted stays muted through a reload", async () => {
  const meeting = await server.meeting("Muted", { lobbyBypassSettings: { scope: "everyone" } });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await vera.join();
  await dora.sees("Vera");
  await dora.openPanel("People");
  await dora.button("Mute Vera").click();
  await vera.button("Unmute").waitFor({ timeout: within });
  await vera.page.reload();
  await vera.inside();
  await vera.button("Unmute").waitFor({ timeout: within });
  await dora.close();
  await vera.close();
});

test("the keyboard is enough, and Greek is complete", async () => {
  const meeting = await server.meeting("Πληκτρολόγιο", {
    lobbyBypassSettings: { scope: "everyone" },
  });
  const eleni = await Person.open(browser, server, meeting, {
    name: "Ελένη",
    locale: "el-GR",
    viewport: { width: 390, height: 844 },
  });
  const { page } = eleni;
  assert.equal(await page.locator("html").getAttribute("lang"), "el");
  await page.getByRole("textbox", { name: "Το όνομά σας", exact: true }).fill("Ελένη");
  await page.keyboard.press("Enter");
  await page.getByRole("figure", { name: "Ελένη", exact: true }).waitFor({ timeout: within });
  await eleni.close();
});
