// Prints how long it takes from pressing Join now, and from opening the page, to the first frame of
// somebody else: the median of ten, with both browsers and the server on this machine.

import { launch, Person, Server } from "./harness.js";

const times = { press: [], open: [] };
const server = await Server.start();
const browser = await launch();
const other = await launch();
try {
  const meeting = await server.meeting("Speed", { lobbyBypassSettings: { scope: "everyone" } });
  const dora = await Person.open(browser, server, meeting, { user: "dora" });
  await dora.join();
  for (let i = 0; i < 10; i++) {
    const context = await other.newContext({
      ignoreHTTPSErrors: true,
      permissions: ["camera", "microphone"],
    });
    const page = await context.newPage();
    // The name is known from the last time, as for somebody who comes again; the script presses the
    // button as soon as it can be.
    await page.addInitScript(() => {
      globalThis.times = new Promise((resolve) => {
        let pressed;
        const look = () => {
          const button = document.querySelector("[data-join]");
          const name = document.querySelector("#name");
          if (
            !pressed &&
            button &&
            name &&
            !button.disabled &&
            document.readyState === "complete"
          ) {
            name.value ||= "Vera";
            pressed = performance.now();
            button.click();
          }
          for (const video of document.querySelectorAll("figure video")) {
            const label = video.closest("figure").getAttribute("aria-label");
            if (label === "Dora" && video.getVideoPlaybackQuality().totalVideoFrames > 0) {
              resolve({ press: performance.now() - pressed, open: performance.now() });
              return;
            }
          }
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
    });
    await page.goto(meeting.joinWebUrl);
    const { press, open } = await page.evaluate(() => globalThis.times);
    times.press.push(press);
    times.open.push(open);
    await context.close();
  }
} finally {
  await browser.close();
  await other.close();
  await server.end();
}
const median = (all) => Math.round(all.sort((a, b) => a - b)[all.length >> 1]);
process.stdout.write(`Join now to the first remote frame: ${median(times.press)} ms\n`);
process.stdout.write(`page open to the first remote frame: ${median(times.open)} ms\n`);
