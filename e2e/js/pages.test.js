// The pages as people meet them: in Chromium, wide and narrow, light and dark, with and without script.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ClientSecretCredential } from "@azure/identity";
import { checkPage, launch, listen, newPage, signIn } from "./browser.js";
import {
  ann,
  authority,
  booking,
  contoso,
  createOrGet,
  graphDefault,
  meetings,
  portal,
  url,
} from "./world.js";

const phone = { viewport: { width: 320, height: 640 } };
const desktop = { viewport: { width: 1280, height: 800 } };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

function signInAddress(redirect) {
  const query = new URLSearchParams({
    client_id: portal.id,
    response_type: "code",
    redirect_uri: redirect,
    scope: meetings,
    state: "kept",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  });
  return `${authority}/oauth2/v2.0/authorize?${query}`;
}

for (const { name, ...options } of [
  { name: "desktop", ...desktop },
  { name: "desktop, dark", ...desktop, colorScheme: "dark" },
  { name: "phone", ...phone },
  { name: "phone, forced colours", ...phone, forcedColors: "active" },
]) {
  const picture = name.replaceAll(/[^a-z]+/g, "-");

  test(`signing in: ${name}`, async () => {
    const back = await listen();
    const page = await newPage(browser, options);
    try {
      await page.goto(signInAddress(back.redirect));
      assert.equal(await page.getByRole("button").count(), 1, "one button");
      await checkPage(page, `sign-in-${picture}`);

      await signIn(page, ann, "wrong");
      await page.getByRole("alert").waitFor();
      assert.equal(new URL(page.url()).origin, url);
      assert.equal(await page.getByLabel("User name", { exact: true }).inputValue(), ann.name);
      assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
      await checkPage(page, `sign-in-wrong-${picture}`);

      await signIn(page, ann);
      const { searchParams } = await back.called;
      assert.equal(searchParams.get("state"), "kept");
      assert.ok(searchParams.get("code"));
    } finally {
      await page.context().close();
      back.close();
    }
  });

  test(`the way into a meeting: ${name}`, async () => {
    const subject = `Review of <b>${name}</b> & plans`;
    const meeting = await made({ externalId: `pages ${name}`, subject });
    const page = await newPage(browser, { ...options, timezoneId: "Asia/Tokyo", locale: "en-GB" });
    try {
      await page.goto(meeting.joinWebUrl);
      await page.getByText(subject, { exact: true }).first().waitFor();
      await page
        .locator("main")
        .getByText(/\bAnn\b/)
        .first()
        .waitFor(); // the organizer
      const when = await page.locator("time[data-localtime]").first().textContent();
      // 15:30 to 16:45 in London's winter is half past midnight in Tokyo, a day later.
      assert.match(when, /7 February 2031.*00:30.*01:45/s);
      await checkPage(page, `join-${picture}`);
    } finally {
      await page.context().close();
    }
  });
}

for (const { name, ...options } of [
  { name: "desktop", ...desktop },
  { name: "phone", ...phone },
]) {
  test(`what else a meeting links to: ${name}`, async () => {
    const meeting = await made({ externalId: `links ${name}`, subject: "Links" });
    const page = await newPage(browser, options);
    try {
      await page.goto(meeting.meetingOptionsWebUrl);
      await signIn(page, ann); // the organizer
      await page.getByLabel("Who can come in without waiting").waitFor();
      await checkPage(page, `options-${name}`);
      await page.goto(meeting.audioConferencing.dialinUrl);
      await page.getByText("+1 206-555-0100").waitFor();
      await checkPage(page, `dialin-${name}`);
      await page.goto(url);
      await page.getByLabel("Meeting ID").fill(meeting.joinMeetingIdSettings.joinMeetingId);
      await checkPage(page, `home-${name}`);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Links" }).waitFor();
    } finally {
      await page.context().close();
    }
  });
}

test("the invitation is a mail's body: no style sheet, no script, every link works", async () => {
  const meeting = await made({ externalId: "invitation", subject: "Invitation" });
  const { content, contentType } = meeting.joinInformation;
  assert.equal(contentType, "html");
  const html = decodeURIComponent(content.replaceAll("+", " ")).replace(/^data:text\/html,/, "");
  assert.doesNotMatch(html, /<(script|style|link|img)\b|class=/);
  const page = await newPage(browser, { viewport: { width: 600, height: 340 } });
  try {
    await page.goto(`data:text/html;charset=utf-8,${encodeURIComponent(html)}`);
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/invitation.png` });
    assert.match(await page.locator("body").textContent(), /Join the meeting[\s\S]*Meeting ID:/);
    const links = await page.locator("a").evaluateAll((all) => all.map((a) => a.href));
    assert.ok(links.includes(meeting.joinWebUrl), links.join("\n"));
    assert.ok(links.includes(`tel:+12065550100,,${meeting.audioConferencing.conferenceId}#`));
    for (const link of links.filter((l) => l.startsWith("https:"))) {
      const answer = await page.goto(link);
      assert.equal(answer.status(), 200, link);
    }
  } finally {
    await page.context().close();
  }
});

test("signing in by keyboard alone, without script", async () => {
  const back = await listen();
  const page = await newPage(browser, { ...phone, javaScriptEnabled: false });
  try {
    await page.goto(signInAddress(back.redirect));
    await page.getByLabel("User name", { exact: true }).focus();
    await page.keyboard.type(ann.name);
    await page.keyboard.press("Tab");
    await page.keyboard.type("convene");
    await page.keyboard.press("Enter");
    assert.ok((await back.called).searchParams.get("code"));
  } finally {
    await page.context().close();
    back.close();
  }
});

test("the way into a meeting without script says the time in UTC", async () => {
  const meeting = await made({ externalId: "pages without script", subject: "No script" });
  const page = await newPage(browser, { javaScriptEnabled: false, timezoneId: "Asia/Tokyo" });
  try {
    await page.goto(meeting.joinWebUrl);
    assert.match(await page.locator("time").first().textContent(), /15:30.*UTC/s);
  } finally {
    await page.context().close();
  }
});

test("a link to no meeting is a page that says so", async () => {
  const page = await newPage(browser, phone);
  try {
    const answer = await page.goto(
      `${url}/l/meetup-join/19%3ameeting_no%40thread.v2/0?context=%7b%7d`,
    );
    assert.equal(answer.status(), 404);
    assert.match(answer.headers()["content-type"], /^text\/html/);
    await checkPage(page, "join-nothing");
  } finally {
    await page.context().close();
  }
});

// made returns a meeting of Ann's, from half past three to a quarter to five in the afternoon.
async function made(meeting) {
  const credential = new ClientSecretCredential(contoso, booking.id, booking.secret, {
    authorityHost: url,
    disableInstanceDiscovery: true,
  });
  const { token } = await credential.getToken(graphDefault);
  const times = {
    startDateTime: "2031-02-06T15:30:00Z",
    endDateTime: "2031-02-06T16:45:00Z",
  };
  const { status, body } = await createOrGet(token, { ...times, ...meeting }, ann);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}
