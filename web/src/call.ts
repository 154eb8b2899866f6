// Sound and pictures: the tab's connection to the media engine.

import {
  ConnectionQuality,
  ConnectionState,
  DisconnectReason,
  LocalAudioTrack,
  type LocalTrack,
  type LocalTrackPublication,
  LocalVideoTrack,
  type Participant,
  type RemoteTrack,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from "livekit-client";
import type { Person, Rights, Ticket } from "./api.js";
import { Changes } from "./changes.js";
import { type Devices, type Kind, kinds, type Trouble, trouble } from "./devices.js";
import { recall, remember } from "./memory.js";
import { pause, sleep } from "./stream.js";

// Its news of every step are for those who write it.
setLogLevel("warn");

/** What somebody sends, as a tile shows it. */
export interface Feed {
  camera: Track | undefined;
  screen: Track | undefined;
  microphone: boolean;
  speaking: boolean;
  /** Unknown until media has connected. */
  quality: "good" | "poor" | "lost" | undefined;
}

/** What happens to a call without the visitor's doing. */
export type Happening =
  | { what: "muted" | "stopped"; kind: Kind }
  | { what: "stopped"; kind: "screen" }
  | { what: "trouble"; kind: Kind | "screen"; trouble: Trouble }
  | { what: "replaced" };

const nobody: Feed = {
  camera: undefined,
  screen: undefined,
  microphone: false,
  speaking: false,
  quality: undefined,
};

const sources = { camera: Track.Source.Camera, microphone: Track.Source.Microphone } as const;

export class Call extends Changes {
  /** Whether the visitor would like others to hear and see; sending may still be on its way. */
  readonly on = { camera: false, microphone: false, screen: false };
  connected = false;
  /** Whether it has ever been connected. */
  began = false;

  readonly #devices: Devices;
  readonly #ticket: () => Promise<Ticket>;
  readonly #happened: (happening: Happening) => void;
  readonly #room: Room;
  readonly #tracks = new Map<Track.Source, LocalTrack>();
  readonly #sounds = document.createElement("div");
  readonly #closed = new AbortController();
  #withdrawn = new Set<Kind | "screen">();
  #dropped: () => void = () => undefined;

  /**
   * ticket gets a new ticket, after the engine let go; it throws when there is none, and closes the
   * call when there will be none.
   */
  constructor(
    devices: Devices,
    ticket: () => Promise<Ticket>,
    happened: (happening: Happening) => void,
  ) {
    super();
    this.#devices = devices;
    this.#ticket = ticket;
    this.#happened = happened;
    this.#sounds.hidden = true;
    document.body.append(this.#sounds);
    this.#room = new Room({
      adaptiveStream: true,
      dynacast: true,
      // Tracks outlive a connection, so that a new one can send them again without asking the visitor.
      stopLocalTrackOnUnpublish: false,
      // The page itself tells of leaving, to the server, which then tells the engine.
      disconnectOnPageLeave: false,
      // The ticket has expired when this gives up; a new connection with a new one is next.
      reconnectPolicy: {
        nextRetryDelayInMs: ({ retryCount }) => [100, 400, 1000][retryCount] ?? null,
      },
      ...(recall("speaker") ? { audioOutput: { deviceId: recall("speaker") ?? "" } } : {}),
    });
    this.#listen();
  }

  /** run keeps the call connected until [close]. */
  async run(first?: Ticket): Promise<void> {
    const { signal } = this.#closed;
    for (const kind of kinds) {
      this.on[kind] = this.#devices[kind].wanted;
    }
    // The devices open while the connection is made, and the visitor sees the own picture at once.
    void this.#send();
    let ticket = first;
    for (let attempt = 0; !signal.aborted; ) {
      try {
        ticket ??= await this.#ticket();
        const dropped = new Promise<void>((resolve) => {
          this.#dropped = resolve;
        });
        await this.#room.connect(ticket.url, ticket.token);
        if (signal.aborted) {
          await this.#room.disconnect();
          return;
        }
        attempt = 0;
        void this.#send();
        await dropped;
      } catch {
        // The engine or the server is away, or the call was closed meanwhile; the loop decides.
      }
      ticket = undefined;
      this.#look();
      await sleep(pause(attempt++), signal);
    }
  }

  /** close ends the call and lets go of all devices. */
  close(): void {
    this.#closed.abort();
    for (const source of this.#tracks.keys()) {
      this.#stop(source);
    }
    this.#devices.close();
    void this.#room.disconnect();
    this.#sounds.remove();
  }

  /** feed is what a person of the room sends. */
  feed({ id, me }: Pick<Person, "id" | "me">): Feed {
    const participant = me ? this.#room.localParticipant : this.#room.remoteParticipants.get(id);
    if (!participant) {
      return nobody;
    }
    const picture = (source: Track.Source) => {
      const publication = participant.getTrackPublication(source);
      return publication && !publication.isMuted ? publication.videoTrack : undefined;
    };
    // One's own picture need not have been sent to be seen.
    const own = (source: Track.Source, on: boolean) => (on ? this.#tracks.get(source) : undefined);
    return {
      camera: me ? own(Track.Source.Camera, this.on.camera) : picture(Track.Source.Camera),
      screen: me
        ? own(Track.Source.ScreenShare, this.on.screen)
        : picture(Track.Source.ScreenShare),
      microphone: me ? this.on.microphone : participant.isMicrophoneEnabled,
      speaking: participant.isSpeaking,
      quality: qualities[participant.connectionQuality],
    };
  }

  /** set switches the camera or the microphone on or off. */
  async set(kind: Kind, on: boolean): Promise<void> {
    if (this.on[kind] === on) {
      return;
    }
    this.on[kind] = on;
    this.changed();
    await this.#apply(kind);
  }

  /** share starts sharing the screen with its sound, after the visitor chose what; or stops it. */
  async share(on: boolean): Promise<void> {
    if (!on) {
      this.on.screen = false;
      this.changed();
      await this.#drop(Track.Source.ScreenShare, Track.Source.ScreenShareAudio);
      return;
    }
    let tracks: LocalTrack[];
    try {
      tracks = await this.#room.localParticipant.createScreenTracks({
        audio: true,
        contentHint: "detail",
        selfBrowserSurface: "exclude",
        surfaceSwitching: "include",
        systemAudio: "include",
      });
    } catch (error) {
      // Closing the browser's window of choices is no trouble.
      if (trouble(error) !== "denied") {
        this.#happened({ what: "trouble", kind: "screen", trouble: trouble(error) });
      }
      return;
    }
    this.on.screen = true;
    this.changed();
    for (const track of tracks) {
      this.#tracks.set(track.source, track);
      // The browser has a button of its own to stop sharing.
      track.once("ended", () => void this.share(false));
    }
    try {
      await this.#publish(Track.Source.ScreenShare, Track.Source.ScreenShareAudio);
    } catch {
      await this.share(false);
      this.#happened({ what: "trouble", kind: "screen", trouble: "failed" });
    }
  }

  /** choose switches to another device, during the call. */
  async choose(kind: Kind | "speaker", id: string): Promise<void> {
    if (kind === "speaker") {
      remember("speaker", id);
      await this.#room.switchActiveDevice("audiooutput", id);
      return;
    }
    await this.#devices.choose(kind, id);
    try {
      await this.#tracks.get(sources[kind])?.setDeviceId(id ? { exact: id } : "default");
    } catch (error) {
      this.#happened({ what: "trouble", kind, trouble: trouble(error) });
    }
    this.changed();
  }

  /** cameraTrack is the browser's own track, for what only the browser can do with it. */
  get cameraTrack(): MediaStreamTrack | undefined {
    return this.#tracks.get(Track.Source.Camera)?.mediaStreamTrack;
  }

  /** obey stops what is not allowed any more, and says so. */
  obey(may: Rights): void {
    for (const kind of kinds) {
      if (!may[kind].allowed && this.on[kind]) {
        this.on[kind] = false;
        void this.#drop(sources[kind]);
        this.#devices[kind].wanted = false;
        this.#withdraw(kind);
      }
    }
    if (!may.screen.allowed && this.on.screen) {
      void this.share(false);
      this.#withdraw("screen");
    }
    for (const kind of [...kinds, "screen"] as const) {
      if (may[kind].allowed) {
        this.#withdrawn.delete(kind);
      }
    }
  }

  /** silenced reports whether the browser waits for a press before it plays any sound. */
  get silenced(): boolean {
    return this.connected && !this.#room.canPlaybackAudio;
  }

  /** play starts the sound; it has to come from a press of the visitor's. */
  play(): void {
    void this.#room.startAudio();
  }

  #withdraw(kind: Kind | "screen"): void {
    if (!this.#withdrawn.has(kind)) {
      this.#withdrawn.add(kind);
      this.#happened({ what: "stopped", kind });
    }
    this.changed();
  }

  /** #send publishes everything that is on, over a connection that is new. */
  async #send(): Promise<void> {
    await Promise.all([
      ...kinds.map((kind) => this.#apply(kind)),
      this.on.screen && this.#publish(Track.Source.ScreenShare, Track.Source.ScreenShareAudio),
    ]);
  }

  /** #apply makes what is sent what is wanted. */
  async #apply(kind: Kind): Promise<void> {
    const source = sources[kind];
    const device = this.#devices[kind];
    device.wanted = this.on[kind];
    remember(`${kind}.off`, this.on[kind] ? "" : "yes");
    try {
      let track = this.#tracks.get(source);
      if (!this.on[kind]) {
        await track?.mute();
        this.#devices.take(kind)?.stop();
        return;
      }
      if (!this.#permitted(source)) {
        this.on[kind] = false;
        this.#devices.take(kind)?.stop();
        this.#withdraw(kind);
        return;
      }
      if (!track) {
        // It may take as long as the visitor needs to answer the browser, or be switched off meanwhile.
        await this.#devices.open(kind);
        const opened = this.#devices.take(kind);
        if (!opened) {
          if (this.on[kind] && device.trouble) {
            this.on[kind] = false;
            this.#happened({ what: "trouble", kind, trouble: device.trouble });
          }
          return;
        }
        if (this.#closed.signal.aborted || !this.on[kind]) {
          opened.stop();
          return;
        }
        const Sort = kind === "camera" ? LocalVideoTrack : LocalAudioTrack;
        // Both extend it; the client's own types disagree about a member that is undefined.
        track = new Sort(opened, this.#devices.constraints(kind), false) as LocalTrack;
        track.source = source;
        this.#tracks.set(source, track);
      }
      await track.unmute();
      await this.#publish(source);
    } catch (error) {
      this.on[kind] = false;
      await this.#drop(source);
      this.#happened({ what: "trouble", kind, trouble: trouble(error) });
    } finally {
      this.changed();
    }
  }

  /** #permitted reports whether the engine would take it; before there is a connection it may. */
  #permitted(source: Track.Source): boolean {
    const { permissions } = this.#room.localParticipant;
    if (!permissions) {
      return true;
    }
    const { canPublish, canPublishSources } = permissions;
    const every = canPublishSources.length === 0;
    return canPublish && (every || canPublishSources.includes(Track.sourceToProto(source)));
  }

  async #publish(...from: readonly Track.Source[]): Promise<void> {
    const { localParticipant, state } = this.#room;
    if (state !== ConnectionState.Connected) {
      return; // it is sent once there is a connection
    }
    for (const source of from) {
      const track = this.#tracks.get(source);
      if (track && !localParticipant.getTrackPublication(source)) {
        await localParticipant.publishTrack(track, { source });
      }
    }
    this.changed();
  }

  /** #drop stops sending, and lets the devices go. */
  async #drop(...from: readonly Track.Source[]): Promise<void> {
    for (const source of from) {
      const track = this.#tracks.get(source);
      this.#stop(source);
      if (track && this.#room.localParticipant.getTrackPublication(source)) {
        await this.#room.localParticipant.unpublishTrack(track);
      }
    }
    this.changed();
  }

  #stop(source: Track.Source): void {
    const track = this.#tracks.get(source);
    this.#tracks.delete(source);
    track?.detach();
    track?.stop();
  }

  #look(): void {
    this.connected = this.#room.state === ConnectionState.Connected;
    this.began ||= this.connected;
    this.changed();
  }

  #listen(): void {
    const look = () => this.#look();
    this.#room
      .on(RoomEvent.ConnectionStateChanged, look)
      .on(RoomEvent.ParticipantConnected, look)
      .on(RoomEvent.ParticipantDisconnected, look)
      .on(RoomEvent.TrackUnpublished, look)
      .on(RoomEvent.TrackMuted, look)
      .on(RoomEvent.TrackUnmuted, look)
      .on(RoomEvent.LocalTrackPublished, look)
      .on(RoomEvent.ActiveSpeakersChanged, look)
      .on(RoomEvent.ConnectionQualityChanged, look)
      .on(RoomEvent.AudioPlaybackStatusChanged, look)
      .on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
        if (track.kind === Track.Kind.Audio) {
          this.#sounds.append(track.attach());
        }
        look();
      })
      .on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
        for (const element of track.detach()) {
          if (element.parentNode === this.#sounds) {
            element.remove();
          }
        }
        look();
      })
      .on(RoomEvent.LocalTrackUnpublished, ({ source }: LocalTrackPublication) => {
        this.#unpublished(source);
        look();
      })
      .on(RoomEvent.TrackMuted, (_publication, participant: Participant) => {
        this.#mutedByOthers(participant);
      })
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        this.#dropped();
        if (reason === DisconnectReason.DUPLICATE_IDENTITY) {
          this.#happened({ what: "replaced" });
        }
      });
  }

  /** #unpublished notes that the engine stopped a track; our own doing took it off #tracks before. */
  #unpublished(source: Track.Source): void {
    const kind = kinds.find((each) => sources[each] === source);
    // A lost connection unpublishes everything, too, and the next one sends it again.
    if (!this.#tracks.has(source) || this.#room.state !== ConnectionState.Connected) {
      return;
    }
    this.#stop(source);
    if (kind) {
      this.on[kind] = false;
      this.#devices[kind].wanted = false;
      this.#withdraw(kind);
    } else if (source === Track.Source.ScreenShare) {
      this.on.screen = false;
      this.#withdraw("screen");
    }
  }

  #mutedByOthers(participant: Participant): void {
    if (participant !== this.#room.localParticipant) {
      return;
    }
    for (const kind of kinds) {
      const publication = participant.getTrackPublication(sources[kind]);
      if (publication?.isMuted && this.on[kind]) {
        this.on[kind] = false;
        this.#devices.muted(kind);
        this.#happened({ what: "muted", kind });
      }
    }
  }
}

const qualities: Record<ConnectionQuality, Feed["quality"]> = {
  [ConnectionQuality.Excellent]: "good",
  [ConnectionQuality.Good]: "good",
  [ConnectionQuality.Poor]: "poor",
  [ConnectionQuality.Lost]: "lost",
  [ConnectionQuality.Unknown]: undefined,
};
