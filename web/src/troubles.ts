import type { Kind, Trouble } from "./devices.js";
import type { Key } from "./texts.js";

/** What stands in the way of a device, in words that say what to do about it. */
export const troubles: Record<Kind, Record<Trouble, Key>> = {
  camera: {
    denied: "cameraDenied",
    missing: "cameraMissing",
    busy: "cameraBusy",
    insecure: "insecure",
    failed: "cameraFailed",
  },
  microphone: {
    denied: "microphoneDenied",
    missing: "microphoneMissing",
    busy: "microphoneBusy",
    insecure: "insecure",
    failed: "microphoneFailed",
  },
};
