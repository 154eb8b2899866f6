// The calls between page and server, as docs/room-api.md describes them.

export interface Ticket {
  token: string;
  url: string;
}

export interface Knocked {
  tab: string;
  state: "waiting" | "admitted";
  ticket?: Ticket;
}

export type Role = "organizer" | "coorganizer" | "presenter" | "attendee";
export type Reaction = "like" | "heart" | "applause" | "laugh" | "surprised";

/** The ways in which a stay ends without the visitor's doing. */
export type End = "declined" | "removed" | "ended" | "gone" | "replaced";

/** "lost" is a tab that was away for too long, and has to knock again. */
export type Outside = "waiting" | "lost" | End;

/** A Right is whether something is allowed, and if not, the key of the text that says why. */
export interface Right {
  allowed: boolean;
  reason?: string;
}

export type Rights = Readonly<
  Record<
    | "camera"
    | "microphone"
    | "screen"
    | "chat"
    | "react"
    | "rename"
    | "copy"
    | "admit"
    | "manage"
    | "end",
    Right
  >
>;

export interface Person {
  id: string;
  name: string;
  label: string;
  role: Role;
  guest: boolean;
  /** Its place among raised hands; 0 where it is down. */
  hand: number;
  joined: string;
  me: boolean;
  mayRemove: boolean;
  mayMute: boolean;
  role_changes: readonly ("presenter" | "attendee")[];
}

export interface WaitingPerson {
  id: string;
  name: string;
  guest: boolean;
  since: string;
}

export interface MeetingFacts {
  subject: string;
  start: string;
  end: string;
  organizer: string;
}

/** A Stay is what an admitted tab may show. */
export interface Stay {
  state: "admitted";
  meeting: MeetingFacts;
  /** email is there for the watermark, and not for guests. */
  me: {
    id: string;
    name: string;
    label: string;
    email?: string;
    role: Role;
    guest: boolean;
    hand: boolean;
  };
  may: Rights;
  people: readonly Person[];
  waiting: readonly WaitingPerson[];
  reactions: readonly { seq: number; from: string; kind: Reaction }[];
  announce: boolean;
  watermark: { screen: boolean; video: boolean };
  recordAutomatically: boolean;
  session: string;
}

export type View = Stay | { state: Outside; meeting: MeetingFacts };

export interface Message {
  seq: number;
  time: string;
  name: string;
  me: boolean;
  text: string;
}

/** A Line is one of the event stream. */
export interface Line {
  view?: View;
  messages?: readonly Message[];
}

/** What a visitor can ask for; the answers of those with one are given with [act]. */
export type Act =
  | { do: "ticket" | "leave" | "admitAll" | "muteAll" | "end" }
  | { do: "admit" | "decline" | "mute" | "remove"; target: string }
  | { do: "role"; target: string; role: "presenter" | "attendee" }
  | { do: "hand"; up: boolean }
  | { do: "react"; kind: Reaction }
  | { do: "say"; text: string }
  | { do: "rename"; name: string };

export type Code =
  | "badRequest"
  | "badOrigin"
  | "notFound"
  | "gone"
  | "forbidden"
  | "notInMeeting"
  | "removed"
  | "ended"
  | "barred"
  | "tooMany"
  | "unavailable"
  // Of our own: the server could not be reached, or what answered was not the server.
  | "unreachable";

/** A Refusal is an answer that is not what was asked for; its message can be shown. */
export class Refusal extends Error {
  constructor(
    readonly code: Code,
    message: string,
    /** In seconds; 0 where the server did not say. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

/** post sends a call, and throws a [Refusal] unless it succeeded. */
export async function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Refusal("unreachable", String(error));
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

async function refusal(response: Response): Promise<Refusal> {
  try {
    const { error } = await response.json();
    return new Refusal(error.code, error.message, error.retryAfter ?? 0);
  } catch {
    // A proxy in between answers with a page of its own while the server is away.
    return new Refusal("unreachable", response.statusText);
  }
}
