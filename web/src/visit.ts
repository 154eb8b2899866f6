// One visit of a tab to a meeting, from the door through the lobby into the room and out again.

import { type End, Refusal, type Ticket } from "./api.js";
import { Changes } from "./changes.js";
import { Devices, kinds } from "./devices.js";
import { recallTab, rememberTab } from "./memory.js";
import type { Call, Notices } from "./room.js";
import { Session } from "./session.js";
import { pause, sleep } from "./stream.js";
import { text } from "./texts.js";

/** Why a visit is over. */
export type Ending = { why: "left" | End } | { why: "refused"; message: string };

export type Stage =
  | { name: "door"; problem: string }
  | { name: "knocking" | "waiting" | "room" }
  | { name: "end"; ending: Ending };

/** A Place is the room, once its script is here. */
export interface Place {
  Room: typeof import("./room.js").Room;
  call: Call;
  notices: Notices;
}

export class Visit extends Changes {
  stage: Stage = { name: "door", problem: "" };
  /** Whether the visitor has left the door behind; what was there is not in the page any more. */
  inside = false;
  readonly devices = new Devices();
  readonly session: Session;
  place: Place | undefined;

  readonly #link: string;
  #name: string;
  #staying = false;
  #chunk: Promise<typeof import("./room.js")> | undefined;
  #again: Promise<Ticket | undefined> | undefined;
  /** Aborted when a stay is over, and made anew for the next. */
  #stay = new AbortController();

  constructor(link: string) {
    super();
    const memory = recallTab(link);
    this.#link = link;
    this.#name = memory?.name ?? "";
    this.#staying = memory?.staying ?? false;
    this.session = new Session(link, memory?.tab ?? "");
    this.session.listen(() => this.#look());
    this.devices.listen(() => this.changed());
  }

  /** Whether this tab was waiting or in the room when its page was loaded anew. */
  get interrupted(): boolean {
    return this.#staying;
  }

  /** prefetch fetches what the room needs, ahead of its use. */
  prefetch(): void {
    // Without it the visitor can still do everything here; joining fetches it again and tells.
    void this.#script().catch(() => undefined);
  }

  /** join knocks, with the name of a guest or an empty one. */
  async join(name = this.#name): Promise<void> {
    this.#name = name;
    this.#stay = new AbortController();
    this.session.forget();
    this.#go({ name: "knocking" });
    this.prefetch();
    void this.devices.open(...kinds);
    try {
      const { ticket } = await this.session.knock(name);
      this.#keep(true);
      void this.#follow(this.#stay.signal);
      if (ticket) {
        await this.#enter(ticket);
      } else {
        this.#go({ name: "waiting" });
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** leave ends the stay at the visitor's wish. */
  leave(): void {
    this.session.leave();
    this.#end({ why: "left" });
  }

  /** interrupt tells the server that the page goes away; it may come back as the same tab. */
  interrupt(): void {
    if (this.#staying) {
      this.session.leave();
    }
    this.place?.call.close();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.session.follow();
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (!(error instanceof Refusal) || error.code !== "notInMeeting") {
          this.#refuse(error);
          return;
        }
        try {
          await this.#knockAgain(signal);
        } catch (refusal) {
          this.#refuse(refusal);
          return;
        }
      }
    }
  }

  /**
   * #knockAgain has the same tab let in once more, after the server has forgotten that it was. It
   * returns a ticket, or nothing where the visitor has to wait again.
   */
  #knockAgain(signal: AbortSignal): Promise<Ticket | undefined> {
    // The stream and the call find out independently, and one knock is enough for both.
    this.#again ??= this.#knocking(signal).finally(() => {
      this.#again = undefined;
    });
    return this.#again;
  }

  async #knocking(signal: AbortSignal): Promise<Ticket | undefined> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        const { ticket } = await this.session.knock();
        if (!ticket) {
          this.#closeRoom();
          this.session.forget();
          this.#go({ name: "waiting" });
          void this.devices.open(...kinds);
        } else if (this.stage.name === "waiting") {
          void this.#enter(ticket).catch((error) => this.#refuse(error));
        }
        return ticket;
      } catch (error) {
        if (!passes(error)) {
          throw error;
        }
        await sleep(pause(attempt), signal);
      }
    }
  }

  /** #ticket gets the call a new ticket. */
  async #ticket(signal: AbortSignal): Promise<Ticket> {
    try {
      return (await this.session.act<{ ticket: Ticket }>({ do: "ticket" })).ticket;
    } catch (error) {
      const lost = error instanceof Refusal && error.code === "notInMeeting";
      const ticket = lost ? await this.#knockAgain(signal) : undefined;
      if (ticket) {
        return ticket;
      }
      if (!lost && !passes(error)) {
        this.#refuse(error);
      }
      throw error;
    }
  }

  async #enter(ticket?: Ticket): Promise<void> {
    const { signal } = this.#stay;
    const { Call, Notices, Room, happening } = await this.#script();
    if (signal.aborted || this.place) {
      return;
    }
    const notices = new Notices();
    const call = new Call(
      this.devices,
      () => this.#ticket(signal),
      (happened) => {
        if (happened.what === "replaced") {
          this.#end({ why: "replaced" });
        } else {
          notices.say(happening(happened));
        }
      },
    );
    this.place = { Room, call, notices };
    this.#go({ name: "room" });
    void call.run(ticket);
  }

  #look(): void {
    const state = this.session.view?.state;
    switch (state) {
      case "admitted":
        if (this.stage.name === "waiting") {
          void this.#enter().catch((error) => this.#refuse(error));
        }
        break;
      case "lost": {
        const { signal } = this.#stay;
        this.session.forget();
        this.#knockAgain(signal).catch((error) => signal.aborted || this.#refuse(error));
        break;
      }
      case undefined:
      case "waiting":
        break;
      default:
        this.#end({ why: state });
        return;
    }
    this.changed();
  }

  #refuse(error: unknown): void {
    const code = error instanceof Refusal ? error.code : "unavailable";
    const message = error instanceof Refusal ? error.message : "";
    if (code === "notFound" || code === "gone") {
      this.#end({ why: "gone" });
      return;
    }
    if (code === "removed" || code === "ended") {
      this.#end({ why: code });
      return;
    }
    const passing = ["unreachable", "unavailable", "badRequest"].includes(code);
    const away = code === "unreachable" || (passing && !message);
    const words = away ? text("unreachable") : message || text("mayNot");
    if (passing && this.stage.name === "knocking" && !this.inside) {
      // The visitor is still at the door, and can try again there.
      this.#over();
      this.#go({ name: "door", problem: words });
    } else {
      this.#end({ why: "refused", message: words });
    }
  }

  #end(ending: Ending): void {
    this.#over();
    this.devices.close();
    this.#go({ name: "end", ending });
  }

  #over(): void {
    this.#stay.abort();
    this.session.close();
    this.#keep(false);
    this.#closeRoom();
  }

  #closeRoom(): void {
    this.place?.call.close();
    this.place = undefined;
  }

  #keep(staying: boolean): void {
    this.#staying = staying;
    rememberTab({ link: this.#link, tab: this.session.tab, name: this.#name, staying });
  }

  #go(stage: Stage): void {
    this.stage = stage;
    this.inside ||= stage.name !== "door" && stage.name !== "knocking";
    this.changed();
  }

  #script(): Promise<typeof import("./room.js")> {
    this.#chunk ??= import("./room.js").catch((error) => {
      this.#chunk = undefined;
      throw error;
    });
    return this.#chunk;
  }
}

/** passes reports whether what went wrong may be over by itself. */
function passes(error: unknown): boolean {
  return error instanceof Refusal && ["unreachable", "unavailable", "tooMany"].includes(error.code);
}
