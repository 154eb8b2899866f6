import { Changes } from "./changes.js";

export interface Notice {
  id: number;
  text: string;
}

/** How long a notice stays, in ms: long enough to read it slowly. */
const life = 7000;

/** Notices are sentences that are shown for a while, and said by screen readers. */
export class Notices extends Changes {
  shown: readonly Notice[] = [];
  #last = 0;

  say(text: string): void {
    const id = ++this.#last;
    this.shown = [...this.shown.slice(-3), { id, text }];
    this.changed();
    setTimeout(() => this.dismiss(id), life);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id);
    this.changed();
  }
}
