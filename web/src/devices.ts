// The visitor's camera and microphone: which ones, whether they are wanted, and what stands in the way.

import { Changes } from "./changes.js";
import { recall, remember } from "./memory.js";

export type Kind = "camera" | "microphone";

export const kinds: readonly Kind[] = ["camera", "microphone"];

/** Why a device gives nothing. */
export type Trouble = "denied" | "missing" | "busy" | "insecure" | "failed";

export interface Device {
  /** Whether the visitor wants it on. */
  wanted: boolean;
  /** The id of the chosen one; empty: the browser's choice. */
  id: string;
  track: MediaStreamTrack | undefined;
  trouble: Trouble | undefined;
}

export class Devices extends Changes {
  readonly camera: Device = fresh("camera");
  readonly microphone: Device = fresh("microphone");
  /** What can be chosen. Browsers tell nothing of use before they were given permission. */
  list: readonly MediaDeviceInfo[] = [];

  readonly #opening = new Map<Kind, Promise<void>>();

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#look());
  }

  /** open asks for those of the devices that are wanted and not open yet. It never throws. */
  open(...asked: readonly Kind[]): Promise<void> {
    const closed = asked.filter(
      (kind) => this[kind].wanted && !this[kind].track && !this.#opening.has(kind),
    );
    const opening = this.#open(closed).finally(() => {
      for (const kind of closed) {
        this.#opening.delete(kind);
      }
      this.changed();
    });
    for (const kind of closed) {
      this.#opening.set(kind, opening);
    }
    return Promise.all(asked.map((kind) => this.#opening.get(kind))).then(() => undefined);
  }

  /** want says whether a device should be on, and opens or closes it. */
  async want(kind: Kind, wanted: boolean): Promise<void> {
    const device = this[kind];
    device.wanted = wanted;
    device.trouble = undefined;
    remember(`${kind}.off`, wanted ? "" : "yes");
    if (wanted) {
      this.changed();
      await this.open(kind);
      return;
    }
    this.#close(kind);
    this.changed();
  }

  /** muted says that others have switched a device off, which a reload must not undo. */
  muted(kind: Kind): void {
    this[kind].wanted = false;
    remember(`${kind}.off`, "yes");
  }

  /** choose takes another camera or microphone from now on. */
  async choose(kind: Kind, id: string): Promise<void> {
    this[kind].id = id;
    remember(kind, id);
    if (this[kind].track) {
      this.#close(kind);
      await this.open(kind);
    }
  }

  /** take hands an open device over; from then on it is the taker's to close. */
  take(kind: Kind): MediaStreamTrack | undefined {
    const { track } = this[kind];
    this[kind].track = undefined;
    return track;
  }

  /** close lets go of everything, whatever is wanted. */
  close(): void {
    for (const kind of kinds) {
      this.#close(kind);
    }
    this.changed();
  }

  /** constraints are what the browser is asked for. */
  constraints(kind: Kind): MediaTrackConstraints {
    const { id } = this[kind];
    const which = id ? { deviceId: { exact: id } } : {};
    return kind === "camera"
      ? { ...which, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
      : { ...which, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  }

  #close(kind: Kind): void {
    this.take(kind)?.stop();
  }

  async #open(closed: readonly Kind[]): Promise<void> {
    if (closed.length === 0) {
      return;
    }
    const media = navigator.mediaDevices;
    if (!media) {
      for (const kind of closed) {
        this[kind].trouble = "insecure";
      }
      return;
    }
    try {
      // One call, so that the browser asks the visitor once.
      this.#adopt(await media.getUserMedia(this.#request(closed)));
    } catch (error) {
      const [only] = closed;
      if (closed.length > 1) {
        // One of them may be missing, and the other fine.
        await Promise.all(closed.map((kind) => this.#open([kind])));
      } else if (only && this[only].id && trouble(error) === "missing") {
        // The chosen one was unplugged: another is better than none.
        this[only].id = "";
        await this.#open(closed);
      } else if (only) {
        this[only].trouble = trouble(error);
      }
    }
    await this.#look();
  }

  #request(closed: readonly Kind[]): MediaStreamConstraints {
    return {
      video: closed.includes("camera") && this.constraints("camera"),
      audio: closed.includes("microphone") && this.constraints("microphone"),
    };
  }

  #adopt(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const kind = track.kind === "video" ? "camera" : "microphone";
      const device = this[kind];
      if (!device.wanted) {
        track.stop(); // the visitor thought better of it while the browser asked
        continue;
      }
      device.track = track;
      device.trouble = undefined;
      track.addEventListener("ended", () => {
        if (device.track === track) {
          device.track = undefined;
          device.trouble = "missing";
          this.changed();
        }
      });
    }
  }

  async #look(): Promise<void> {
    try {
      const all = await navigator.mediaDevices.enumerateDevices();
      this.list = all.filter(({ deviceId }) => deviceId !== "");
    } catch {
      this.list = [];
    }
    this.changed();
  }
}

function fresh(kind: Kind): Device {
  return {
    wanted: recall(`${kind}.off`) !== "yes",
    id: recall(kind) ?? "",
    track: undefined,
    trouble: undefined,
  };
}

/** trouble says what an error of the browser's means. */
export function trouble(error: unknown): Trouble {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}
