// The room. It is a chunk of its own, fetched while the visitor is still at the door, and brings the
// media engine's client with it.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Act, Stay } from "./api.js";
import { Refusal } from "./api.js";
import { Call, type Happening } from "./call.js";
import { useChanges } from "./changes.js";
import { Chat } from "./chat.js";
import { chime } from "./chimes.js";
import { Control, type ControlProps, unread } from "./controls.js";
import type { Devices } from "./devices.js";
import { Confirm } from "./dialog.js";
import { Gallery } from "./gallery.js";
import { Help } from "./help.js";
import { Icon } from "./icons.js";
import { movement } from "./names.js";
import { Notices } from "./notices.js";
import { People, WaitingList } from "./people.js";
import { ReactionChoice, Reactions, reactions } from "./reactions.js";
import type { Session } from "./session.js";
import { Settings } from "./settings.js";
import { type Command, command, isWriting, shortcutsOn } from "./shortcuts.js";
import { type Key, reason, text } from "./texts.js";
import { troubles } from "./troubles.js";

export { Call, Notices };

/** happening says what happened to a call. */
export function happening(happened: Happening): string {
  switch (happened.what) {
    case "muted":
      return text(happened.kind === "camera" ? "cameraMuted" : "youWereMuted");
    case "stopped":
      return text(stops[happened.kind]);
    case "trouble":
      return happened.kind === "screen"
        ? text("screenFailed")
        : text(troubles[happened.kind][happened.trouble]);
    case "replaced":
      return "";
  }
}

const stops: Record<"camera" | "microphone" | "screen", Key> = {
  camera: "cameraStopped",
  microphone: "microphoneStopped",
  screen: "screenStopped",
};

export interface RoomProps {
  session: Session;
  stay: Stay;
  call: Call;
  devices: Devices;
  notices: Notices;
  onLeave: () => void;
}

type Open = "react" | "settings" | "help" | "end" | undefined;

export function Room({ session, stay, call, devices, notices, onLeave }: RoomProps) {
  useChanges(call, notices);
  const [panel, setPanel] = useState<"chat" | "people">();
  const [open, setOpen] = useState<Open>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const { may } = stay;

  const act = async (what: Act) => {
    try {
      await session.act(what);
    } catch (error) {
      notices.say(error instanceof Refusal && error.message ? error.message : text("failed"));
    }
  };

  useEffect(() => call.obey(may), [may]);
  useAnnouncements(stay, notices);
  const unreadCount = useUnread(session, stay, panel === "chat", notices);

  const toggle = (which: "chat" | "people") => setPanel(panel === which ? undefined : which);
  const flip = (which: Open) => setOpen(open === which ? undefined : which);
  const canShare = typeof navigator.mediaDevices?.getDisplayMedia === "function";
  const blocked = (right: keyof typeof may) =>
    may[right].allowed ? undefined : reason(may[right].reason);

  const controls: Record<Command, ControlProps> = {
    microphone: {
      icon: call.on.microphone ? "microphone" : "microphoneOff",
      label: text(call.on.microphone ? "mute" : "unmute"),
      look: call.on.microphone ? undefined : "off",
      blocked: blocked("microphone"),
      onPress: () => void call.set("microphone", !call.on.microphone),
    },
    camera: {
      icon: call.on.camera ? "camera" : "cameraOff",
      label: text(call.on.camera ? "turnCameraOff" : "turnCameraOn"),
      look: call.on.camera ? undefined : "off",
      blocked: blocked("camera"),
      onPress: () => void call.set("camera", !call.on.camera),
    },
    screen: {
      icon: "screen",
      label: text(call.on.screen ? "stopSharing" : "shareScreen"),
      look: call.on.screen ? "on" : undefined,
      blocked: blocked("screen") ?? (canShare ? undefined : text("cannotShare")),
      onPress: () => void call.share(!call.on.screen),
    },
    hand: {
      icon: "hand",
      label: text(stay.me.hand ? "lowerHand" : "raiseHand"),
      look: stay.me.hand ? "on" : undefined,
      onPress: () => void act({ do: "hand", up: !stay.me.hand }),
    },
    react: {
      icon: "smile",
      label: text("react"),
      blocked: blocked("react"),
      popup: true,
      expanded: open === "react",
      onPress: () => flip("react"),
    },
    chat: {
      icon: "chat",
      label: text("chat"),
      // What has been opened can be closed, also when writing is not allowed any more.
      blocked: panel === "chat" ? undefined : blocked("chat"),
      expanded: panel === "chat",
      description: unread(unreadCount),
      badge: unreadCount,
      onPress: () => toggle("chat"),
    },
    people: {
      icon: "people",
      label: text("people"),
      expanded: panel === "people",
      description: [
        text("inMeeting", { count: stay.people.length }),
        stay.waiting.length > 0 && text("waitingHeading", { count: stay.waiting.length }),
      ]
        .filter(Boolean)
        .join(", "),
      badge: stay.waiting.length,
      onPress: () => toggle("people"),
    },
    help: {
      icon: "help",
      label: text("shortcuts"),
      popup: true,
      onPress: () => setOpen("help"),
    },
  };
  useShortcuts((pressed) => {
    const { blocked: why, onPress } = controls[pressed];
    if (why) {
      notices.say(why);
    } else {
      onPress();
    }
  });
  const control = (props: ControlProps) => (
    <Control {...props} onBlocked={(why) => notices.say(why)} />
  );

  return (
    <section class={`room ${panel ? "with-panel" : ""}`} aria-label={text("meeting")}>
      <header class="room-head">
        <h1 ref={heading} tabIndex={-1} dir="auto">
          {stay.meeting.subject}
        </h1>
        <p class={`room-state ${call.began ? "lost" : ""}`} role="status">
          {!session.live || !call.connected ? text(call.began ? "reconnecting" : "connecting") : ""}
        </p>
      </header>
      {stay.recordAutomatically && <p class="room-note">{text("noRecording")}</p>}
      {call.silenced && (
        <p class="room-note">
          <button type="button" class="button" onClick={() => call.play()}>
            <Icon name="sound" /> {text("playSound")}
          </button>
        </p>
      )}
      {stay.may.admit.allowed && panel !== "people" && (
        <div class="knocking" role="status">
          {stay.waiting.length > 0 && (
            <>
              <p>{text("waitingHeading", { count: stay.waiting.length })}</p>
              <WaitingList waiting={stay.waiting} act={act} />
            </>
          )}
        </div>
      )}
      <div class="room-middle">
        <div class="stage">
          <Gallery stay={stay} call={call} />
          <Reactions reactions={stay.reactions} />
        </div>
        {panel === "chat" && (
          <Chat
            stay={stay}
            messages={session.messages}
            say={async (words) => void (await session.act({ do: "say", text: words }))}
            onClose={() => setPanel(undefined)}
          />
        )}
        {panel === "people" && (
          <People stay={stay} call={call} act={act} onClose={() => setPanel(undefined)} />
        )}
      </div>
      <div class="room-foot">
        <div class="notices" role="status">
          {notices.shown.map(({ id, text: said }) => (
            <p key={id} class="toast">
              {said}
            </p>
          ))}
        </div>
        <div class="controls">
          {open === "react" && (
            <ReactionChoice
              onReact={(kind) => {
                setOpen(undefined);
                void act({ do: "react", kind });
              }}
              onClose={() => setOpen(undefined)}
            />
          )}
          {open === "settings" && (
            <Settings call={call} devices={devices} onClose={() => setOpen(undefined)} />
          )}
          {control(controls.microphone)}
          {control(controls.camera)}
          {control(controls.screen)}
          {control(controls.hand)}
          {control(controls.react)}
          {control(controls.chat)}
          {control(controls.people)}
          {control({
            icon: "settings",
            label: text("settings"),
            popup: true,
            expanded: open === "settings",
            onPress: () => flip("settings"),
          })}
          {control(controls.help)}
          {control({ icon: "leave", label: text("leave"), look: "danger", onPress: onLeave })}
          {may.end.allowed &&
            control({
              icon: "end",
              label: text("endForAll"),
              look: "danger",
              popup: true,
              onPress: () => setOpen("end"),
            })}
        </div>
      </div>
      {open === "help" && <Help onClose={() => setOpen(undefined)} />}
      {open === "end" && (
        <Confirm
          heading={text("endHeading")}
          explanation={text("endExplanation")}
          action={text("endForAll")}
          onConfirm={() => void act({ do: "end" })}
          onClose={() => setOpen(undefined)}
        />
      )}
    </section>
  );
}

/** useAnnouncements says who comes, goes, knocks and reacts. */
function useAnnouncements(stay: Stay, notices: Notices): void {
  const before = useRef(stay);
  useEffect(() => {
    const last = before.current;
    before.current = stay;
    if (stay.announce) {
      const { came, left } = movement(last.people, stay.people);
      for (const { label } of came) {
        notices.say(text("came", { name: label }));
      }
      for (const { label } of left) {
        notices.say(text("wentAway", { name: label }));
      }
      if (came.length > 0 || left.length > 0) {
        chime(came.length > 0 ? "came" : "left");
      }
    }
    const knew = new Set(last.waiting.map(({ id }) => id));
    if (stay.waiting.some(({ id }) => !knew.has(id))) {
      chime("knock");
    }
    const seen = new Set(last.reactions.map(({ seq }) => seq));
    for (const { seq, from, kind } of stay.reactions) {
      if (!seen.has(seq) && from !== stay.me.label) {
        notices.say(text("reacted", { name: from, reaction: text(reactions[kind]) }));
      }
    }
    for (const person of stay.people) {
      const up = last.people.find(({ id }) => id === person.id)?.hand ?? 0;
      if (person.hand > 0 && up === 0 && !person.me) {
        notices.say(text("raisedHand", { name: person.label }));
      }
    }
  }, [stay]);
}

/** useUnread counts the messages of others that came while the chat was closed, and says so. */
function useUnread(session: Session, stay: Stay, reading: boolean, notices: Notices): number {
  const last = session.messages.at(-1)?.seq ?? 0;
  const read = useRef(0);
  const told = useRef(0);
  if (reading) {
    read.current = last;
  }
  // What was said before one came is there to be read, but is no news.
  const joined = Date.parse(stay.people.find(({ me }) => me)?.joined ?? "");
  const news = session.messages.filter(
    ({ seq, me, time }) => seq > read.current && !me && Date.parse(time) >= joined,
  );
  const newest = news.at(-1);
  useEffect(() => {
    if (newest && newest.seq > told.current) {
      notices.say(text("newMessage", { name: newest.name }));
      chime("message");
    }
    told.current = last;
  }, [last]);
  return news.length;
}

function useShortcuts(run: (pressed: Command) => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const pressed = command(event, isWriting(event.target));
      if (pressed && (shortcutsOn() || pressed === "help")) {
        event.preventDefault();
        latest.current(pressed);
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
