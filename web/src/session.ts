// A tab's stay with a meeting, as the server sees it: knocking, what is shown, what is asked for.
// Sound and pictures are another matter: see call.ts.

import {
  type Act,
  type Knocked,
  type Line,
  type Message,
  post,
  Refusal,
  type View,
} from "./api.js";
import { Changes } from "./changes.js";
import { lines, pause, sleep } from "./stream.js";

/** How long the line may be silent, in ms. The server sends something every 10 s. */
const silence = 25_000;

export class Session extends Changes {
  view: View | undefined;
  messages: readonly Message[] = [];
  /** Whether what is shown is what the server says now. */
  live = true;

  readonly #link: string;
  #tab: string;
  #name = "";
  #following: AbortController | undefined;

  /** tab is the id that an earlier page of this tab was given, or empty. */
  constructor(link: string, tab: string) {
    super();
    this.#link = link;
    this.#tab = tab;
  }

  get tab(): string {
    return this.#tab;
  }

  /** knock asks to be let in. The name is that of a guest, empty for somebody who is signed in. */
  async knock(name = this.#name): Promise<Knocked> {
    this.#name = name;
    const body = {
      link: this.#link,
      ...(name ? { name } : {}),
      ...(this.#tab ? { tab: this.#tab } : {}),
    };
    const knocked: Knocked = await (await post("/room/knock", body)).json();
    this.#tab = knocked.tab;
    return knocked;
  }

  /** act asks for something and returns the answer. */
  async act<Answer = object>(act: Act): Promise<Answer> {
    return (await post("/room/act", { link: this.#link, tab: this.#tab, ...act })).json();
  }

  /**
   * follow keeps view and messages what the server says, until [close]. A refusal ends it and is
   * thrown; where the server is merely away it tries again.
   */
  async follow(): Promise<void> {
    this.close();
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#read(signal, () => {
          attempt = 0;
        });
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (error instanceof Refusal && !["unreachable", "unavailable"].includes(error.code)) {
          throw error;
        }
      }
      if (!signal.aborted) {
        this.live = false;
        this.changed();
        await sleep(pause(attempt), signal);
      }
    }
  }

  /** close stops following. The server takes it for leaving after a while. */
  close(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  /** leave tells the server that the tab leaves, also while the page is being closed. */
  leave(): void {
    this.close();
    const body = JSON.stringify({ link: this.#link, tab: this.#tab, do: "leave" });
    navigator.sendBeacon("/room/act", new Blob([body], { type: "application/json" }));
  }

  /** forget drops what was shown, for a new stay. */
  forget(): void {
    this.view = undefined;
    this.live = true;
  }

  async #read(signal: AbortSignal, heard: () => void): Promise<void> {
    // A line that was cut gives no sign, so each read has its own end.
    const quiet = new AbortController();
    const stop = () => quiet.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, silence);
    try {
      const after = this.messages.at(-1)?.seq ?? 0;
      const body = { link: this.#link, tab: this.#tab, after };
      const response = await post("/room/events", body, quiet.signal);
      if (!response.body) {
        return;
      }
      for await (const line of lines(response.body)) {
        clearTimeout(timer);
        timer = setTimeout(stop, silence);
        heard();
        this.#take(line as Line);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  #take(line: Line): void {
    const last = this.messages.at(-1)?.seq ?? 0;
    const news = line.messages?.filter(({ seq }) => seq > last) ?? [];
    if (this.live && !line.view && news.length === 0) {
      return; // it only keeps the line
    }
    this.live = true;
    this.view = line.view ?? this.view;
    if (news.length > 0) {
      this.messages = [...this.messages, ...news];
    }
    this.changed();
  }
}
