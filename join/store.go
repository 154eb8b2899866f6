package join

import (
	"context"
	"errors"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// Store keeps rooms and what is said in them. Every engine passes
// storetest.RunRooms. Methods are safe for concurrent use, also by other nodes on
// the same database where the engine allows several, and what they report is
// durable when they return. An engine that cannot answer returns an error that
// wraps [meeting.ErrUnavailable], or [meeting.ErrFull] where there is no room to
// write.
type Store interface {
	// Room returns the room with this [Key.Room], or [ErrNoRoom] where nobody ever
	// knocked.
	Room(ctx context.Context, name string) (Room, error)

	// UpdateRoom changes the room of a meeting, and makes it where there is none:
	// change then gets one with its Key alone. change may be called again when
	// another change came first: of concurrent ones none is lost. Revision grows by
	// one, beginning with 1. The reports that change leaves in [Room.Ended] are
	// stored in the same step and taken off the room. An error of change is returned
	// and nothing is stored.
	UpdateRoom(ctx context.Context, key Key, change func(*Room) error) (Room, error)

	// OpenRooms returns the rooms of which [Room.Open] is true.
	OpenRooms(ctx context.Context) ([]Room, error)

	// DropRooms removes every room of a tenant with its messages and reports.
	DropRooms(ctx context.Context, tenant string) error

	// AddMessage stores what somebody said in a meeting's thread and gives it the
	// next Seq, beginning with 1; there are no gaps.
	AddMessage(ctx context.Context, key Key, m Message) (Message, error)

	// Messages returns at most limit messages with a Seq greater than after, in
	// their order.
	Messages(ctx context.Context, key Key, after int64, limit int) ([]Message, error)

	// Watch returns a channel of the names of rooms that were changed, or in which
	// something was said, by anybody on any node, until ctx ends; then it is closed.
	// A name may be missing where too many came at once or the database was away, so
	// that whoever must not miss one also looks now and then.
	Watch(ctx context.Context) <-chan string

	meeting.Reports
}

// ErrNoRoom is a meeting into which nobody ever asked to come.
var ErrNoRoom = errors.New("there is no room")

// A Message is a line of the chat of a meeting.
type Message struct {
	Seq    int64 `json:"-"` // its place in the thread
	Time   time.Time
	Author string // key of the person in the room: see [Room.People]
	Name   string // as the author was called then
	Text   string
}
