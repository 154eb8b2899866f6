// Single keys for what is done most. They can be switched off, since whoever speaks to the computer
// types letters without meaning to (WCAG 2.1.4), and never count while something is being written.

import { recall, remember } from "./memory.js";
import type { Key } from "./texts.js";

export type Command =
  | "microphone"
  | "camera"
  | "screen"
  | "hand"
  | "chat"
  | "people"
  | "react"
  | "help";

export const keys: readonly { key: string; command: Command; text: Key }[] = [
  { key: "m", command: "microphone", text: "keyMicrophone" },
  { key: "v", command: "camera", text: "keyCamera" },
  { key: "s", command: "screen", text: "keyScreen" },
  { key: "h", command: "hand", text: "keyHand" },
  { key: "c", command: "chat", text: "keyChat" },
  { key: "p", command: "people", text: "keyPeople" },
  { key: "r", command: "react", text: "keyReact" },
  { key: "?", command: "help", text: "keyHelp" },
];

/** What of a key press matters here. */
export type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "repeat">;

/** command is what a key press asks for; writing tells whether something is being written. */
export function command(press: Press, writing: boolean): Command | undefined {
  if (writing || press.repeat || press.ctrlKey || press.altKey || press.metaKey) {
    return undefined;
  }
  return keys.find(({ key }) => key === press.key.toLowerCase())?.command;
}

/** isWriting reports whether keys that are pressed there are meant for a field. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, select, textarea, dialog") !== null;
}

export function shortcutsOn(): boolean {
  return recall("shortcuts.off") !== "yes";
}

export function switchShortcuts(on: boolean): void {
  remember("shortcuts.off", on ? "" : "yes");
}
