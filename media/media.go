// Package media is the contract of a media engine: rooms in which people see and
// hear each other. It knows nothing of meetings, lobbies or roles: who may come
// in, and with which rights, is decided elsewhere, and an engine obeys. It imports
// the standard library only.
//
// Start at [Engine]. The room media/livekit is one; media/mediatest has the suite
// that every engine passes.
package media

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// An Engine has rooms, each with the participants that were let in. Methods are
// safe for concurrent use, also by other nodes on the same engine.
type Engine interface {
	// Admit lets a participant into a room, and makes the room where there is
	// none. It returns what a browser joins with; nobody is in the room by that.
	Admit(ctx context.Context, g Grant) (Ticket, error)
	// Participants are those who are in a room, in the order in which they came.
	// In a room that is not there is nobody.
	Participants(ctx context.Context, room string) ([]Participant, error)
	// SetRights changes what a participant may do, at once: what is published
	// without the right to ends. [ErrNotThere] where nobody of that id is in the
	// room.
	SetRights(ctx context.Context, room, participant string, r Rights) error
	// Mute silences what a participant publishes from a source, who may unmute it
	// again. [ErrNotThere] as SetRights; what is not published is silent already.
	Mute(ctx context.Context, room, participant string, s Source) error
	// Remove ends a participant's connection. Whether the same one may come back is
	// for the engine's [Gate] to say. [ErrNotThere] as SetRights.
	Remove(ctx context.Context, room, participant string) error
	// End closes a room for everybody in it. Without a room there is nothing to do.
	End(ctx context.Context, room string) error
	// Signal serves what browsers connect to, and nothing else of the engine.
	Signal() http.Handler
	// Serves reports whether a path is Signal's.
	Serves(path string) bool
	// Close frees what the engine holds, and lets nobody in any more; with an engine
	// of this process every room ends. It returns by the end of ctx.
	Close(ctx context.Context) error
}

// A Gate says whether a participant may connect to a room now. An engine asks it
// at every handshake, also at those of a browser that reconnects, so that a
// ticket is worth nothing once somebody was removed.
type Gate func(ctx context.Context, room, participant string) bool

// A Grant is one participant's admission to one room.
type Grant struct {
	// Room names the room: letters, digits, - and _, at most 128.
	Room string
	// Participant is one browser tab that was let in once, in the same form. When
	// the same one connects again, the connection before ends.
	Participant string
	Name        string // shown to others
	Rights      Rights
}

// Rights are what a participant may publish. Everybody sees and hears what others
// publish.
type Rights struct{ Camera, Microphone, Screen bool }

// May reports whether the rights allow a source.
func (r Rights) May(s Source) bool {
	switch s {
	case Camera:
		return r.Camera
	case Microphone:
		return r.Microphone
	}
	return r.Screen
}

// A Source is where a track comes from.
type Source string

// The sources. A screen may come with its sound.
const (
	Camera     Source = "camera"
	Microphone Source = "microphone"
	Screen     Source = "screen"
)

// A Ticket is what a browser connects with, under the origin of the page.
type Ticket struct {
	Token string
	// Expires is until when it has to connect first; a connection lasts longer.
	Expires time.Time
}

// TicketLife is how long a ticket is good for a first connection.
const TicketLife = 2 * time.Minute

// A Participant is somebody who is in a room.
type Participant struct {
	ID      string // Grant.Participant
	Session string // of the engine: another with each connection that is not a resumed one
	Name    string
	Joined  time.Time
	Rights  Rights
	Tracks  []Track
}

// A Track is something that a participant publishes.
type Track struct {
	Source Source
	Muted  bool
}

// Errors of engines.
var (
	// ErrNotThere is a participant who is not in the room.
	ErrNotThere = errors.New("the participant is not in the room")
	// ErrUnavailable is an engine that cannot be reached. Whether something was
	// done is not known.
	ErrUnavailable = errors.New("the media engine is not available")
)

// Valid reports whether a name of a room or of a participant is one.
func Valid(name string) bool {
	if name == "" || len(name) > 128 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
