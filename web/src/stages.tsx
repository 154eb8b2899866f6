// What stands in the page once the visitor has knocked.

import { useEffect, useRef } from "preact/hooks";
import { useChanges } from "./changes.js";
import { Preview } from "./preview.js";
import { type Key, text } from "./texts.js";
import type { Ending, Visit } from "./visit.js";

export function Stages({ visit, subject }: { visit: Visit; subject: string }) {
  useChanges(visit);
  const { stage, session, place } = visit;
  const { view } = session;
  switch (stage.name) {
    case "waiting":
      return <Waiting visit={visit} subject={view?.meeting.subject ?? subject} />;
    case "end":
      return <Ended key={stage.ending.why} visit={visit} ending={stage.ending} subject={subject} />;
    case "room":
      if (place && view?.state === "admitted") {
        return (
          <place.Room
            session={session}
            stay={view}
            call={place.call}
            devices={visit.devices}
            notices={place.notices}
            onLeave={() => visit.leave()}
          />
        );
      }
  }
  return (
    <div class="card narrow">
      <p role="status">{text("joining")}</p>
    </div>
  );
}

/** Heading takes the focus when it appears, so that screen readers tell where the visitor is now. */
function Heading({ children }: { children: string }) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => element.current?.focus(), []);
  return (
    <h1 ref={element} tabIndex={-1}>
      {children}
    </h1>
  );
}

function Waiting({ visit, subject }: { visit: Visit; subject: string }) {
  return (
    <div class="card waiting">
      <Heading>{text("waiting")}</Heading>
      <p class="waiting-meeting" dir="auto">
        {subject}
      </p>
      <p>{text("waitingExplanation")}</p>
      <p role="status" class="quiet">
        {visit.session.live ? "" : text("reconnecting")}
      </p>
      <Preview devices={visit.devices} />
      <div class="actions">
        <button type="button" class="button plain" onClick={() => visit.leave()}>
          {text("leave")}
        </button>
      </div>
    </div>
  );
}

/** What is said at each end: a heading, a sentence, and what can be done next. */
const ends: Record<Ending["why"], { heading: Key; words?: Key; next: "rejoin" | "door" | "home" }> =
  {
    left: { heading: "youLeft", next: "rejoin" },
    declined: { heading: "notLetIn", words: "notLetInWords", next: "door" },
    removed: { heading: "youWereRemoved", words: "youWereRemovedWords", next: "door" },
    ended: { heading: "hasEnded", words: "hasEndedWords", next: "door" },
    gone: { heading: "noMeeting", words: "noMeetingWords", next: "home" },
    replaced: { heading: "openElsewhere", words: "openElsewhereWords", next: "rejoin" },
    refused: { heading: "cannotJoin", next: "door" },
  };

function Ended(props: { visit: Visit; ending: Ending; subject: string }) {
  const { visit, ending, subject } = props;
  const { heading, words, next } = ends[ending.why];
  return (
    <div class="card narrow">
      <Heading>{text(heading)}</Heading>
      {ending.why !== "gone" && (
        <p class="quiet" dir="auto">
          {subject}
        </p>
      )}
      {ending.why === "refused" && <p class="notice">{ending.message}</p>}
      {words && <p>{text(words)}</p>}
      <div class="actions">
        {next === "rejoin" && (
          <button type="button" class="button" onClick={() => void visit.join()}>
            {text("rejoin")}
          </button>
        )}
        {next === "door" && (
          <button type="button" class="button plain" onClick={() => location.reload()}>
            {text("backToMeeting")}
          </button>
        )}
        {next === "home" && (
          <a class="button plain" href="/">
            {text("toStart")}
          </a>
        )}
      </div>
    </div>
  );
}
