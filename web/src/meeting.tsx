// The script of a meeting's page. The server has rendered what stands before joining; the rest of the
// visit takes place in the same document.

import { render } from "preact";
import { Connection } from "./connection.js";
import { kinds } from "./devices.js";
import { recall, remember } from "./memory.js";
import { Preview } from "./preview.js";
import { Stages } from "./stages.js";
import { text } from "./texts.js";
import { Visit } from "./visit.js";

const main = document.getElementById("meeting");
if (main) {
  start(main);
}

function start(main: HTMLElement): void {
  // Cookies and streams are those of the link's path and query, wherever the page was opened.
  const { pathname, search } = new URL(main.dataset["link"] ?? "", location.href);
  const visit = new Visit(pathname + search);
  const leaveDoor = stand(main, visit);
  const subject = main.dataset["subject"] ?? "";

  let left = false;
  visit.listen(() => {
    const { name } = visit.stage;
    if (!left && visit.inside) {
      left = true;
      leaveDoor();
      main.replaceChildren();
      render(<Stages visit={visit} subject={subject} />, main);
    }
    document.body.classList.toggle("in-room", name === "room");
  });

  addEventListener("pagehide", () => visit.interrupt());
  addEventListener("pageshow", ({ persisted }) => {
    // A page out of the browser's cache has lost its stream and its call.
    if (persisted) {
      location.reload();
    }
  });

  if (visit.interrupted && reloaded()) {
    void visit.join();
  } else {
    void visit.devices.open(...kinds);
    idle(() => visit.prefetch());
  }
}

/** stand lets the page's form do its work; the returned function takes down what it put up. */
function stand(main: HTMLElement, visit: Visit): () => void {
  const form = main.querySelector<HTMLFormElement>("form");
  const name = main.querySelector<HTMLInputElement>("input[name=name]");
  const button = main.querySelector<HTMLButtonElement>("button[data-join]");
  const problem = main.querySelector<HTMLElement>("[data-problem]");
  const preview = main.querySelector("[data-preview]");
  const connection = main.querySelector("[data-connection]");
  if (!form || !button || !problem || !preview || !connection) {
    throw new Error("the page has not what its script needs");
  }
  if (name && !name.value) {
    name.value = recall("name") ?? "";
  }
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formaction")) {
      return; // signing out is the server's
    }
    event.preventDefault();
    if (visit.stage.name !== "door") {
      return;
    }
    const given = name?.value.trim() ?? "";
    if (name) {
      remember("name", given);
    }
    void visit.join(given);
  });
  render(<Preview devices={visit.devices} />, preview);
  render(<Connection />, connection);
  const words = button.textContent;
  const end = visit.listen(() => {
    const { stage } = visit;
    const knocking = stage.name === "knocking";
    button.setAttribute("aria-disabled", String(knocking));
    button.textContent = knocking ? text("joining") : words;
    problem.textContent = stage.name === "door" ? stage.problem : "";
    problem.hidden = problem.textContent === "";
  });
  return () => {
    end();
    render(null, preview);
    render(null, connection);
  };
}

/** reloaded tells a page that was loaded again from one that was opened. */
function reloaded(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  return (navigation as PerformanceNavigationTiming | undefined)?.type === "reload";
}

function idle(then: () => void): void {
  if ("requestIdleCallback" in globalThis) {
    requestIdleCallback(then, { timeout: 1000 });
  } else {
    setTimeout(then, 200);
  }
}
