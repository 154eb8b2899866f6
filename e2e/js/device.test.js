// The pages of a device code, and those that say no: in Chromium, wide and narrow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkPage, launch, newPage, signIn } from "./browser.js";
import { ann, authority, meetings, portal } from "./world.js";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function post(path, fields) {
  const r = await fetch(`${authority}/oauth2/v2.0/${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
  });
  return { status: r.status, body: await r.json() };
}

for (const { name, ...options } of [
  { name: "wide", viewport: { width: 1280, height: 800 } },
  { name: "phone", viewport: { width: 320, height: 640 } },
  { name: "phone-dark", viewport: { width: 320, height: 640 }, colorScheme: "dark" },
]) {
  test(`device ${name}`, async () => {
    const { body: device } = await post("devicecode", {
      client_id: portal.id,
      scope: `${meetings} offline_access openid`,
    });
    const page = await newPage(browser, options);
    await page.goto(device.verification_uri);
    await checkPage(page, `code-${name}`);
    await page.getByLabel("Code", { exact: true }).fill("bcdf ghjk");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").waitFor();
    await checkPage(page, `code-wrong-${name}`);
    await page.getByLabel("Code", { exact: true }).fill(device.user_code.toLowerCase());
    await page.keyboard.press("Enter");
    await page.getByLabel("User name", { exact: true }).waitFor();
    await checkPage(page, `device-${name}`);
    await signIn(page, ann, "wrong");
    await page.getByRole("alert").waitFor();
    await checkPage(page, `device-wrong-${name}`);
    await page.getByLabel("Password", { exact: true }).fill("convene");
    await page.keyboard.press("Enter");
    await page.getByText("You are signed in to portal.").waitFor();
    await checkPage(page, `device-done-${name}`);
    const got = await post("token", {
      grant_type: "device_code",
      client_id: portal.id,
      device_code: device.device_code,
    });
    assert.equal(got.status, 200);

    const { body: second } = await post("devicecode", { client_id: portal.id, scope: meetings });
    await page.goto(second.verification_uri_complete);
    await page.getByRole("button", { name: "Decline" }).click();
    await page.getByText("You declined.").waitFor();
    await checkPage(page, `device-declined-${name}`);
    const no = await post("token", {
      grant_type: "device_code",
      client_id: portal.id,
      device_code: second.device_code,
    });
    assert.equal(no.body.error, "authorization_declined");
    await page.goto(
      `${authority}/oauth2/v2.0/authorize?client_id=${portal.id}&redirect_uri=https://evil.example/${"a".repeat(80)}`,
    );
    await checkPage(page, `error-${name}`);
    await page.goto(`${authority}/oauth2/v2.0/logout`);
    await checkPage(page, `logout-${name}`);
    await page.context().close();
  });
}
