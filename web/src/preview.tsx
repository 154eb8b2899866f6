// The visitor as others would see and hear them, before joining and in the lobby.

import { useEffect, useRef, useState } from "preact/hooks";
import { Blur } from "./blur.js";
import { useChanges } from "./changes.js";
import { Choices } from "./choices.js";
import type { Devices, Kind } from "./devices.js";
import { kinds } from "./devices.js";
import { Icon } from "./icons.js";
import { Level } from "./level.js";
import { text } from "./texts.js";
import { troubles } from "./troubles.js";

export function Preview({ devices }: { devices: Devices }) {
  useChanges(devices);
  const { camera, microphone } = devices;
  return (
    <section class="preview" aria-label={text("devices")}>
      <div class="preview-picture">
        {camera.track ? (
          <Picture track={camera.track} />
        ) : (
          <p>{text(camera.wanted && !camera.trouble ? "cameraStarting" : "cameraOff")}</p>
        )}
        <div class="preview-controls">
          <Toggle devices={devices} kind="microphone" />
          <Toggle devices={devices} kind="camera" />
        </div>
      </div>
      {microphone.track && <Meter track={microphone.track} />}
      <div role="status">
        {kinds.map((kind) => {
          const { trouble, wanted } = devices[kind];
          return trouble && wanted ? (
            <p key={kind} class="notice">
              {text(troubles[kind][trouble])}
            </p>
          ) : null;
        })}
      </div>
      {devices.list.length > 0 && (
        <details class="preview-choices">
          <summary>{text("chooseDevices")}</summary>
          <Choices devices={devices} onChoose={(kind, id) => void choose(devices, kind, id)} />
          <Blur key={camera.track?.id} track={camera.track} />
        </details>
      )}
    </section>
  );
}

async function choose(devices: Devices, kind: Kind | "speaker", id: string): Promise<void> {
  if (kind !== "speaker") {
    await devices.choose(kind, id);
  }
}

function Toggle({ devices, kind }: { devices: Devices; kind: Kind }) {
  const { wanted, trouble } = devices[kind];
  const on = wanted && !trouble;
  const label =
    kind === "camera" ? text(on ? "turnCameraOff" : "turnCameraOn") : text(on ? "mute" : "unmute");
  return (
    <button
      type="button"
      class={`control ${on ? "" : "control-off"}`}
      onClick={() => void devices.want(kind, !on)}
    >
      <Icon name={on ? kind : `${kind}Off`} />
      <span class="control-label">{label}</span>
    </button>
  );
}

function Picture({ track }: { track: MediaStreamTrack }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current) {
      element.current.srcObject = new MediaStream([track]);
    }
  }, [track]);
  return (
    <video ref={element} class="mirrored" aria-label={text("preview")} autoplay muted playsInline />
  );
}

/** How often the meter moves, in ms: enough for the eye, and little work. */
const beat = 100;

function Meter({ track }: { track: MediaStreamTrack }) {
  const [value, setValue] = useState(0);
  useEffect(() => {
    const level = new Level(track);
    const timer = setInterval(() => setValue(level.value()), beat);
    return () => {
      clearInterval(timer);
      level.close();
    };
  }, [track]);
  return (
    <p class="preview-level">
      <Icon name="microphone" />
      <meter min={0} max={1} value={value} aria-label={text("microphoneLevel")} />
    </p>
  );
}
