// One figure of the gallery: a person, or the screen that somebody shares.

import type { Track } from "livekit-client";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Person } from "./api.js";
import type { Feed } from "./call.js";
import { Icon } from "./icons.js";
import { hue, initials } from "./names.js";
import { text } from "./texts.js";
import { Watermark } from "./watermark.js";

export interface TileProps {
  person: Person;
  feed: Feed;
  /** Whether the figure shows what the person shares. */
  screen?: boolean;
  pinned: boolean;
  onPin: () => void;
  /** What stands over the picture, or nothing. */
  watermark: string | undefined;
}

export function Tile({ person, feed, screen = false, pinned, onPin, watermark }: TileProps) {
  const states = useId();
  const name = screen ? text("screenOf", { name: person.label }) : person.label;
  const track = screen ? feed.screen : feed.camera;
  const classes = [
    "tile",
    screen ? "tile-screen" : `hue-${hue(person.name)}`,
    feed.speaking && !screen ? "speaking" : "",
  ];
  return (
    <figure class={classes.join(" ")} aria-label={name} aria-describedby={states}>
      {track ? (
        <Video track={track} mirrored={person.me && !screen} />
      ) : (
        <span class="initials" aria-hidden="true">
          {initials(person.name)}
        </span>
      )}
      {track && watermark && <Watermark words={watermark} />}
      <figcaption class="tile-name">
        {!screen && !feed.microphone && <Icon name="microphoneOff" />}
        {!screen && person.hand > 0 && (
          <span class="tile-hand">
            <Icon name="hand" />
            {person.hand}
          </span>
        )}
        {!screen && (feed.quality === "poor" || feed.quality === "lost") && (
          <span class="tile-quality">
            <Icon name="signal" />
          </span>
        )}
        <span class="tile-label" dir="auto">
          {name}
          {person.me && !screen && <span class="tile-you"> ({text("you")})</span>}
        </span>
      </figcaption>
      <span id={states} class="visually-hidden">
        {screen ? "" : [...(person.me ? [text("you")] : []), describe(person, feed)].join(", ")}
      </span>
      <button
        type="button"
        class="tile-pin"
        aria-label={text(pinned ? "unpin" : "pin", { name })}
        title={text(pinned ? "unpin" : "pin", { name })}
        onClick={onPin}
      >
        <Icon name={pinned ? "unpin" : "pin"} />
      </button>
    </figure>
  );
}

/** describe says in words what the signs on a tile show. */
export function describe(person: Person, feed: Feed): string {
  return [
    text(feed.microphone ? "isUnmuted" : "isMuted"),
    text(feed.camera ? "isCameraOn" : "isCameraOff"),
    person.hand > 0 && text("isHandRaised", { place: person.hand }),
    feed.quality === "poor" && text("isPoor"),
    feed.quality === "lost" && text("isLost"),
  ]
    .filter(Boolean)
    .join(", ");
}

function Video({ track, mirrored }: { track: Track; mirrored: boolean }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (!video) {
      return;
    }
    track.attach(video);
    return () => {
      track.detach(video);
    };
  }, [track]);
  return <video ref={element} class={mirrored ? "mirrored" : ""} autoplay muted playsInline />;
}
