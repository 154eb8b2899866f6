// What people write to each other. It is all text: nothing in it becomes part of the page.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Message, Stay } from "./api.js";
import { Panel } from "./dialog.js";
import { Icon } from "./icons.js";
import { pieces } from "./links.js";
import { reason, text } from "./texts.js";

export interface ChatProps {
  stay: Stay;
  messages: readonly Message[];
  /** Sends a message; the promise fails where it was not taken. */
  say: (text: string) => Promise<void>;
  onClose: () => void;
}

export function Chat({ stay, messages, say, onClose }: ChatProps) {
  const log = useRef<HTMLDivElement>(null);
  const { chat, copy } = stay.may;

  // The newest message is in view, unless the visitor has scrolled up to read older ones.
  const following = useRef(true);
  useEffect(() => {
    if (log.current && following.current) {
      log.current.scrollTop = log.current.scrollHeight;
    }
  }, [messages]);
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = log.current as HTMLElement;
    following.current = scrollHeight - scrollTop - clientHeight < 40;
  };

  return (
    <Panel heading={text("chat")} onClose={onClose}>
      {!copy.allowed && <p class="panel-note">{reason(copy.reason)}</p>}
      <div
        ref={log}
        class={`panel-body messages ${copy.allowed ? "" : "no-copy"}`}
        role="log"
        aria-label={text("messages")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no pointer scrolls it by keys
        tabIndex={0}
        onScroll={scrolled}
        onCopy={(event) => copy.allowed || event.preventDefault()}
      >
        {messages.length === 0 && <p class="quiet">{text("noMessages")}</p>}
        {messages.map((message) => (
          <Line key={message.seq} message={message} />
        ))}
      </div>
      <Writing blocked={chat.allowed ? undefined : reason(chat.reason)} say={say} />
    </Panel>
  );
}

function Line({ message }: { message: Message }) {
  const time = new Date(message.time);
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" });
  return (
    <article class={`message ${message.me ? "mine" : ""}`}>
      <header>
        <b dir="auto">{message.name}</b> <time dateTime={message.time}>{clock.format(time)}</time>
      </header>
      <p dir="auto">
        {pieces(message.text).map((piece) =>
          "link" in piece ? (
            <a href={piece.link} target="_blank" rel="noopener noreferrer nofollow">
              {piece.link}
            </a>
          ) : (
            piece.text
          ),
        )}
      </p>
    </article>
  );
}

function Writing({ blocked, say }: { blocked: string | undefined; say: ChatProps["say"] }) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [written, setWritten] = useState("");
  const [failed, setFailed] = useState("");
  useEffect(() => field.current?.focus(), []);

  const send = async () => {
    const message = written.trim();
    if (!message || blocked) {
      return;
    }
    setWritten("");
    setFailed("");
    try {
      await say(message);
    } catch (error) {
      // Nothing that was written may be lost; but nothing that was written meanwhile either.
      setWritten((newer) => newer || message);
      setFailed(error instanceof Error ? error.message : "");
    }
  };
  return (
    <form
      class="panel-foot writing"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label for={id}>{text("message")}</label>
      <div class="writing-row">
        <textarea
          ref={field}
          id={id}
          rows={2}
          maxLength={4000}
          value={written}
          disabled={blocked !== undefined}
          aria-describedby={`${id}-note`}
          onInput={({ currentTarget }) => setWritten(currentTarget.value)}
          onKeyDown={(event) => {
            // Enter that ends the composition of a character sends nothing.
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              void send();
            }
          }}
        />
        <button
          type="submit"
          class="icon-button strong"
          aria-label={text("send")}
          disabled={blocked !== undefined}
        >
          <Icon name="send" />
        </button>
      </div>
      <p id={`${id}-note`} class={failed ? "error" : "quiet"} role={failed ? "alert" : undefined}>
        {failed || (blocked ?? text("messageHint"))}
      </p>
    </form>
  );
}
