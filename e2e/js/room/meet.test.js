// People meet: they see, hear, share and write; what organizers decide holds at once.

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

const everyone = { lobbyBypassSettings: { scope: "everyone" } };

test("two and three people see, hear and read each other", async () => {
  const meeting = await server.meeting("Three people", everyone);
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await dora.join();
  await vera.join();
  await dora.sees("Vera");
  await vera.sees("Dora");
  await dora.hears();
  await vera.hears();
  await dora.figure("Dora").waitFor();

  const bob = await Person.open(browser, server, meeting, { user: "bob" });
  await bob.join();
  await bob.sees("Dora");
  await bob.sees("Vera");
  await dora.sees("Bob");

  await vera.says("Good <b>morning</b> & hello");
  await dora.reads("Good <b>morning</b> & hello");
  await bob.reads("Good <b>morning</b> & hello");

  await vera.leave();
  await vera.button("Rejoin").click();
  await vera.inside();
  await vera.reads("Good <b>morning</b> & hello");
  await vera.sees("Dora");

  await bob.button("Mute").click();
  await bob.button("Turn camera off").click();
  await dora.seesNoVideo("Bob");
  await bob.button("Turn camera on").click();
  await dora.sees("Bob");

  await dora.button("End for all").click();
  const dialog = dora.page.getByRole("dialog", { name: "End the meeting for all?", exact: true });
  await dialog.getByRole("button", { name: "End for all", exact: true }).click();
  for (const person of [dora, vera, bob]) {
    await person.heading("The meeting has ended").waitFor({ timeout: within });
    await person.close();
  }
});

test("somebody shares a screen", async () => {
  const meeting = await server.meeting("Sharing", everyone);
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await dora.join();
  await vera.join();
  await dora.button("Share screen").click();
  await vera.sees("Screen of Dora");
  await server.change(meeting, { allowedPresenters: "organizer" });
  await until("Vera may not share", async () => {
    const button = vera.button("Share screen");
    return (await button.isDisabled()) || (await button.getAttribute("aria-disabled")) === "true";
  });
  await dora.close();
  await vera.close();
});

test("rights that are withdrawn end what is on", async () => {
  const meeting = await server.meeting("Rights", { ...everyone, allowedPresenters: "organizer" });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  const vera = await Person.open(browser, server, meeting, { name: "Vera" });
  await dora.join();
  await vera.join();
  await dora.sees("Vera");
  await dora.hears();
  await server.change(meeting, {
    allowAttendeeToEnableCamera: false,
    allowAttendeeToEnableMic: false,
  });
  await dora.seesNoVideo("Vera");
  await dora.hearsNothing();
  await dora.openPanel("People");
  const item = dora.page.getByRole("listitem").filter({ hasText: "Vera" });
  await item.getByRole("button", { name: "Make presenter", exact: true }).click();
  await until("Vera may use her camera", async () => {
    const button = vera.button("Turn camera on");
    return (
      (await button.count()) > 0 &&
      (await button.isEnabled()) &&
      (await button.getAttribute("aria-disabled")) !== "true"
    );
  });
  await vera.button("Turn camera on").click();
  await dora.sees("Vera");
  await dora.close();
  await vera.close();
});

test("two of one name are told apart", async () => {
  const meeting = await server.meeting("Names", everyone);
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  const first = await Person.open(browser, server, meeting, { name: "Vera" });
  await first.join();
  await dora.figure("Vera").waitFor({ timeout: within });
  const second = await Person.open(browser, server, meeting, { name: "Vera" });
  await second.join();
  await dora.figure("Vera (2)").waitFor({ timeout: within });
  await second.figure("Vera").waitFor();
  for (const person of [dora, first, second]) {
    await person.close();
  }
});
