// People in Chromium with fake cameras and microphones, and a server of the test's own, which it
// may stop, kill and start again.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const program = process.env.CONVENE_BIN;

/** within is how long something may take that a person waits for. */
export const within = 20_000;

/** A Server is a convene of the test's own. */
export class Server {
  static async start(...args) {
    const server = new Server();
    server.dir = await mkdtemp(join(tmpdir(), "convene-room-"));
    server.args = args;
    await server.begin("localhost:0");
    return server;
  }

  /** startOn starts one behind a public URL, listening on a port of its own. */
  static async startOn(port, ...args) {
    const server = new Server();
    server.dir = await mkdtemp(join(tmpdir(), "convene-room-"));
    server.args = args;
    server.listens = port;
    await server.begin(`localhost:${port}`);
    return server;
  }

  async begin(listen) {
    this.process = spawn(
      program,
      ["dev", "--data", this.dir, "--listen", listen, "--quiet", ...this.args],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.log = "";
    this.process.stderr.on("data", (text) => {
      this.log += text;
    });
    this.exit = once(this.process, "exit");
    const lines = createInterface({ input: this.process.stdout });
    const [line] = await Promise.race([once(lines, "line"), this.exit.then(() => [this.log])]);
    assert.match(line, /^ready https:/, `the server said: ${line}`);
    this.url = line.slice("ready ".length);
  }

  /** again starts the server on the same address after it was stopped or killed. */
  async again() {
    await this.begin(new URL(this.url).host);
  }

  async stop() {
    this.process.kill("SIGTERM");
    const [code] = await this.exit;
    assert.equal(code, 0, `the server ended with ${code}:\n${this.log}`);
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.exit;
  }

  async end() {
    try {
      await this.stop();
    } finally {
      await rm(this.dir, { recursive: true, force: true });
    }
    assert.doesNotMatch(this.log, /level=(ERROR|WARN)/, "the server's log");
  }

  /** token is an access token of a user. */
  async token(user) {
    const { stdout } = await run(program, ["token", "--data", this.dir, "--user", address(user)]);
    return stdout.trim();
  }

  /** graph calls the API as a user. */
  async graph(user, method, path, body) {
    const at = this.args.indexOf("--ca-dir");
    const request = https.request(`${this.url}${path}`, {
      method,
      ca: await readFile(join(at < 0 ? this.dir : this.args[at + 1], "ca.pem")),
      headers: {
        Authorization: `Bearer ${await this.token(user)}`,
        "Content-Type": "application/json",
      },
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(request, "response");
    const answer = await text(response);
    assert.ok(response.statusCode < 300, `${method} ${path}: ${response.statusCode} ${answer}`);
    return answer === "" ? undefined : JSON.parse(answer);
  }

  /** meeting makes one of Dora's, with settings. */
  async meeting(subject, settings = {}) {
    const made = await this.graph("dora", "POST", "/v1.0/me/onlineMeetings", {
      subject,
      startDateTime: "2031-02-06T09:00:00Z",
      endDateTime: "2031-02-06T10:00:00Z",
      ...settings,
    });
    return made;
  }

  change(meeting, settings) {
    return this.graph("dora", "PATCH", `/v1.0/me/onlineMeetings/${meeting.id}`, settings);
  }
}

const address = (user) => (user.includes("@") ? user : `${user}@contoso.example`);

/** launch starts a Chromium with fake devices: a camera with moving pictures, a microphone that beeps. */
export function launch(...more) {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream=fps=10",
      "--use-fake-ui-for-media-stream",
      "--auto-select-desktop-capture-source=Entire screen",
      "--auto-accept-this-tab-capture",
      "--autoplay-policy=no-user-gesture-required",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      ...more,
    ],
  });
}

/** A Person is one tab of somebody. */
export class Person {
  /** open shows a meeting to a guest, or to a user who has signed in. */
  static async open(browser, server, meeting, { user, name, context, ...options } = {}) {
    const person = new Person();
    person.server = server;
    person.name = name ?? user;
    person.context =
      context ??
      (await browser.newContext({
        ignoreHTTPSErrors: true,
        permissions: ["camera", "microphone"],
        viewport: { width: 1280, height: 800 },
        ...options,
      }));
    person.page = await person.context.newPage();
    person.troubles = [];
    person.page.on("pageerror", (error) => person.troubles.push(error.message));
    person.page.on("request", (request) => {
      const { host, protocol } = new URL(request.url());
      if (host !== new URL(server.url).host && !["blob:", "data:"].includes(protocol)) {
        person.troubles.push(`asked another host: ${request.url()}`);
      }
      if (
        /token/.test(request.url()) &&
        !/^\/rtc(\/v1)?(\/validate)?$/.test(new URL(request.url()).pathname)
      ) {
        person.troubles.push(`a token in an address: ${request.url()}`);
      }
    });
    await person.page.goto(meeting.joinWebUrl ?? meeting);
    if (user && !context) {
      await person.signIn(user);
    }
    return person;
  }

  async signIn(user) {
    await this.page.getByRole("link", { name: "Sign in", exact: true }).click();
    await this.page.getByRole("textbox", { name: "User name", exact: true }).fill(address(user));
    await this.page.getByLabel("Password", { exact: true }).fill("convene");
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await this.button("Join now").waitFor();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name) {
    return this.page.getByRole("heading", { name, exact: true });
  }

  /** ask presses Join now, with a name where one is asked for. */
  async ask() {
    const name = this.page.getByRole("textbox", { name: "Your name", exact: true });
    if (await name.count()) {
      await name.fill(this.name);
    }
    await this.button("Join now").click();
  }

  /** join comes in without waiting. */
  async join() {
    await this.ask();
    await this.inside();
  }

  inside() {
    return this.page
      .getByRole("region", { name: "Meeting", exact: true })
      .waitFor({ timeout: within });
  }

  async waits() {
    await this.ask();
    await this.heading("Waiting to be let in").waitFor({ timeout: within });
  }

  figure(name) {
    return this.page.getByRole("figure", { name, exact: true });
  }

  /** sees waits until another one's picture is decoded, frame after frame. */
  async sees(name) {
    await this.figure(name).waitFor({ timeout: within });
    const frames = () =>
      this.figure(name).evaluate((figure) => {
        const video = figure.querySelector("video");
        return video && video.videoWidth > 0 ? video.getVideoPlaybackQuality().totalVideoFrames : 0;
      });
    await until(`${this.name} sees ${name}`, async () => (await frames()) > 0);
    const before = await frames();
    await until(`${this.name} sees ${name} move`, async () => (await frames()) > before + 3);
  }

  /** seesNothing waits until a person's figure is there without a moving picture. */
  async seesNoVideo(name) {
    await this.figure(name).waitFor({ timeout: within });
    const frames = () =>
      this.figure(name).evaluate((figure) => {
        const video = figure.querySelector("video");
        const track = video?.srcObject?.getVideoTracks()[0];
        return video && !video.hidden && track && track.readyState === "live" && !track.muted
          ? video.getVideoPlaybackQuality().totalVideoFrames
          : -1;
      });
    await until(`${this.name} sees no video of ${name}`, async () => {
      const before = await frames();
      await this.page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500))),
      );
      return (await frames()) <= before;
    });
  }

  /** sound is the greatest energy that is heard in a while, of all that the page plays. */
  sound() {
    return this.page.evaluate(async () => {
      globalThis.ears ??= new AudioContext();
      await globalThis.ears.resume();
      const analysers = [...document.querySelectorAll("audio, video")]
        .filter((e) => e.srcObject?.getAudioTracks().length && !e.muted && !e.paused)
        .map((element) => {
          const analyser = globalThis.ears.createAnalyser();
          globalThis.ears.createMediaStreamSource(element.srcObject).connect(analyser);
          return analyser;
        });
      const samples = new Float32Array(2048);
      let most = 0;
      for (const end = performance.now() + 2000; performance.now() < end; ) {
        for (const analyser of analysers) {
          analyser.getFloatTimeDomainData(samples);
          most = Math.max(
            most,
            Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length),
          );
        }
        await new Promise((done) => setTimeout(done, 50));
      }
      return most;
    });
  }

  async hears() {
    await until(`${this.name} hears something`, async () => (await this.sound()) > 0.005);
  }

  async hearsNothing() {
    await until(`${this.name} hears nothing`, async () => (await this.sound()) < 0.0005);
  }

  async openPanel(name) {
    const button = this.page.getByRole("button", { name, exact: true });
    if ((await button.getAttribute("aria-expanded")) !== "true") {
      await button.click();
    }
  }

  async closePanel(name) {
    const button = this.page.getByRole("button", { name, exact: true });
    if ((await button.getAttribute("aria-expanded")) === "true") {
      await button.click();
    }
  }

  async says(text) {
    await this.openPanel("Chat");
    const box = this.page.getByRole("textbox", { name: "Message", exact: true });
    await box.fill(text);
    await box.press("Enter");
    await this.reads(text);
  }

  async reads(text) {
    await this.openPanel("Chat");
    await this.page.getByText(text, { exact: true }).first().waitFor({ timeout: within });
  }

  async leave() {
    await this.button("Leave").click();
    await this.heading("You left the meeting").waitFor({ timeout: within });
  }

  /** close ends the tab, and says what went wrong in it. */
  async close() {
    await this.context.close();
    assert.deepEqual(this.troubles, [], `${this.name}'s page`);
  }
}

/** until waits for something that comes about without an event of its own. */
export async function until(what, holds, timeout = within) {
  const end = Date.now() + timeout;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `after ${timeout / 1000} s it does not hold that ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** refusals calls the page's API from a page, and returns status and answer. */
export function call(person, path, body) {
  return person.page.evaluate(
    async ([path, body]) => {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    },
    [path, body],
  );
}
