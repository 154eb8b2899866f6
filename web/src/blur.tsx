import { useState } from "preact/hooks";
import { text } from "./texts.js";

/** What browsers call it; TypeScript's types do not know it yet. */
type WithBlur<T> = T & { backgroundBlur?: unknown };

/** Blur is the browser's own blurring of what is behind the visitor; where it has none, nothing. */
export function Blur({ track }: { track: MediaStreamTrack | undefined }) {
  const [on, setOn] = useState(() => blurring(track));
  if (!track || on === undefined) {
    return null;
  }
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={on}
        onChange={async ({ currentTarget: { checked } }) => {
          const constraint: WithBlur<MediaTrackConstraints> = { backgroundBlur: checked };
          await track.applyConstraints(constraint).catch(() => undefined);
          setOn(blurring(track));
        }}
      />
      {text("blur")}
    </label>
  );
}

/** blurring reports whether the browser blurs; undefined where that cannot be switched. */
function blurring(track: MediaStreamTrack | undefined): boolean | undefined {
  const able: WithBlur<MediaTrackCapabilities> | undefined = track?.getCapabilities?.();
  if (!Array.isArray(able?.backgroundBlur) || able.backgroundBlur.length < 2) {
    return undefined;
  }
  const now: WithBlur<MediaTrackSettings> | undefined = track?.getSettings();
  return now?.backgroundBlur === true;
}
