import { useState } from "preact/hooks";
import { Blur } from "./blur.js";
import type { Call } from "./call.js";
import { useChanges } from "./changes.js";
import { Choices } from "./choices.js";
import type { Devices } from "./devices.js";
import { Popover } from "./dialog.js";
import { recall } from "./memory.js";
import { text } from "./texts.js";

export interface SettingsProps {
  call: Call;
  devices: Devices;
  onClose: () => void;
}

/** Settings switches devices during the call. */
export function Settings({ call, devices, onClose }: SettingsProps) {
  useChanges(devices, call);
  const [speaker, setSpeaker] = useState(recall("speaker") ?? "");
  return (
    <Popover label={text("settings")} onClose={onClose}>
      <h2>{text("settings")}</h2>
      <Choices
        devices={devices}
        speaker={speaker}
        onChoose={(kind, id) => {
          if (kind === "speaker") {
            setSpeaker(id);
          }
          void call.choose(kind, id);
        }}
      />
      <Blur track={call.cameraTrack} />
      <button type="button" class="button plain full" onClick={onClose}>
        {text("close")}
      </button>
    </Popover>
  );
}
