// Choosing devices, before joining and in the room.

import { useId } from "preact/hooks";
import type { Devices, Kind } from "./devices.js";
import { text } from "./texts.js";

export interface ChoiceProps {
  label: string;
  among: readonly MediaDeviceInfo[];
  chosen: string;
  onChoose: (id: string) => void;
}

/** Choice is a list of devices; without any there is nothing to choose, and nothing is shown. */
export function Choice({ label, among, chosen, onChoose }: ChoiceProps) {
  const id = useId();
  // Chromium lists what the system takes as default once more, under an id of its own.
  const real = among.filter(({ deviceId }) => !["default", "communications"].includes(deviceId));
  if (real.length === 0) {
    return null;
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={real.some(({ deviceId }) => deviceId === chosen) ? chosen : ""}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        <option value="">{text("deviceDefault")}</option>
        {real.map(({ deviceId, label: name }, index) => (
          <option key={deviceId} value={deviceId}>
            {name || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}

export interface ChoicesProps {
  devices: Devices;
  speaker?: string | undefined;
  onChoose: (kind: Kind | "speaker", id: string) => void;
}

/** Choices are those of camera, microphone and, where the browser can switch it, loudspeaker. */
export function Choices({ devices, speaker, onChoose }: ChoicesProps) {
  const of = (kind: MediaDeviceKind) => devices.list.filter((device) => device.kind === kind);
  return (
    <>
      <Choice
        label={text("camera")}
        among={of("videoinput")}
        chosen={devices.camera.id}
        onChoose={(id) => onChoose("camera", id)}
      />
      <Choice
        label={text("microphone")}
        among={of("audioinput")}
        chosen={devices.microphone.id}
        onChoose={(id) => onChoose("microphone", id)}
      />
      {speaker !== undefined && "setSinkId" in HTMLMediaElement.prototype && (
        <Choice
          label={text("speaker")}
          among={of("audiooutput")}
          chosen={speaker}
          onChoose={(id) => onChoose("speaker", id)}
        />
      )}
    </>
  );
}
