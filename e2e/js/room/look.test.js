// Every state of a meeting's page, on a phone and on a desk, in English and Greek: checked by axe,
// for sideways scrolling, and for what a screen reader is told; pictures are kept for people.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { launch, Person, Server, within } from "./harness.js";

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

const sizes = {
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  desk: { viewport: { width: 1280, height: 800 } },
};

/** words are the texts of a language, which the page has with it. */
async function words(page) {
  return JSON.parse(await page.locator("#texts").textContent());
}

async function look(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html }) => html).join("\n  ")}`,
  );
  assert.deepEqual(found, [], `${name}: axe`);
  const { wide, room } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    room: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= room, `${name}: ${wide} px wide on a screen of ${room}`);
}

for (const [size, options] of Object.entries(sizes)) {
  for (const locale of ["en-GB", "el-GR"]) {
    const language = locale.slice(0, 2);
    test(`${size}, ${language}`, async () => {
      const picture = (state) => `room-${state}-${size}-${language}`;
      const context = { ...options, locale };
      const meeting = await server.meeting(
        language === "el" ? "Ανασκόπηση τριμήνου" : "Quarterly review",
      );
      const dora = await Person.open(browser, server, meeting, { ...context, user: undefined });
      const t = await words(dora.page);
      const button = (person, name) => person.page.getByRole("button", { name, exact: true });

      // Before joining, signed in.
      await dora.page.getByRole("link", { name: t.signIn, exact: true }).click();
      await dora.page.locator("#username").fill("dora@contoso.example");
      await dora.page.locator("#password").fill("convene");
      await dora.page.locator("#password").press("Enter");
      await button(dora, t.joinNow).waitFor();
      await button(dora, t.turnCameraOff).waitFor({ timeout: within });
      await look(dora.page, picture("before"));
      await button(dora, t.joinNow).click();
      await dora.page
        .getByRole("region", { name: t.meeting, exact: true })
        .waitFor({ timeout: within });

      // Waiting, and the notice of it.
      const vera = await Person.open(browser, server, meeting, { ...context, name: "Vera" });
      await vera.page.getByRole("textbox", { name: t.yourName, exact: true }).fill("Vera");
      await button(vera, t.joinNow).click();
      await vera.page
        .getByRole("heading", { name: t.waiting, exact: true })
        .waitFor({ timeout: within });
      await look(vera.page, picture("waiting"));
      const admit = t.admitName.replace("{name}", "Vera");
      await button(dora, admit).waitFor({ timeout: within });
      await look(dora.page, picture("notice"));
      await button(dora, admit).click();

      // Two in the room: what a screen reader is told of them.
      await vera.page
        .getByRole("region", { name: t.meeting, exact: true })
        .waitFor({ timeout: within });
      await dora.figure("Vera").waitFor({ timeout: within });
      await dora.sees("Vera");
      assert.match(
        await dora.page.getByRole("region", { name: t.meeting, exact: true }).ariaSnapshot(),
        /figure "Vera"/,
      );
      await look(dora.page, picture("two"));
      for (const panel of ["people", "chat"]) {
        await button(dora, t[panel]).click();
        assert.equal(await button(dora, t[panel]).getAttribute("aria-expanded"), "true");
        await look(dora.page, picture(panel));
        await button(dora, t[panel]).click();
      }
      await button(dora, t.endForAll).click();
      await dora.page.getByRole("dialog").waitFor();
      await look(dora.page, picture("end"));
      await dora.page
        .getByRole("dialog")
        .getByRole("button", { name: t.cancel, exact: true })
        .click();
      await button(vera, t.leave).click();
      await vera.page
        .getByRole("heading", { name: t.youLeft, exact: true })
        .waitFor({ timeout: within });
      await look(vera.page, picture("left"));
      await dora.page.goto(meeting.meetingOptionsWebUrl);
      await dora.page.locator("#lobbyBypassScope").waitFor();
      await look(dora.page, picture("options"));
      await dora.page.goto(`${server.url}/meet`);
      await look(dora.page, picture("enter"));
      await dora.page.goto(meeting.joinWebUrl.replace(/meeting_../, "meeting_zz"));
      await look(dora.page, picture("missing"));
      await dora.close();
      await vera.close();
    });
  }
}
