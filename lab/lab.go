// Package lab is the tester's kit: fresh tenants, reset, seed and snapshots, a
// clock for each tenant, faults on demand and a log of requests. It is for
// development and tests, and a server has it only where that is asked for. It
// serves nothing itself, and knows nothing of commands or of how an engine keeps
// things; of the wire it has the reader of a meeting's members, so that files of
// meetings say what requests say, and it is the API's [graph.Watcher].
//
// Start at [Kit]. Everything is done to one tenant, so that tests that run side
// by side never meet.
package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// A Kit is the tester's kit of one server. Use it by pointer.
type Kit struct {
	Meetings  meeting.Store
	Rooms     Rooms
	Directory identity.Store
	// World is what the tenants were before any test: see [Kit.Reset].
	World *world.World
	Now   func() time.Time // the server's own clock
	// Clocks have the time of each tenant, and Delays how long changes of its
	// policies take.
	Clocks *Clocks
	Delays Delays
	// Faults are what happens to requests, and Log what came.
	Faults Faults
	Log    RequestLog
}

// Rooms is what the kit needs of the rooms in which people meet.
type Rooms interface {
	// DropRooms removes every room of a tenant with its messages and reports.
	DropRooms(ctx context.Context, tenant string) error
}

// New returns a kit for a server with this clock.
func New(meetings meeting.Store, rooms Rooms, directory identity.Store, w *world.World, now func() time.Time) *Kit {
	return &Kit{Meetings: meetings, Rooms: rooms, Directory: directory, World: w, Now: now, Clocks: NewClocks(now), Faults: Faults{own: now}, Log: RequestLog{stopped: make(chan struct{})}}
}

// Stop ends what only waits. It is called once, when the server stops.
func (k *Kit) Stop() { close(k.Log.stopped) }

// Before implements [graph.Watcher].
func (k *Kit) Before(r *graph.Request) *graph.Fault { return k.Faults.decide(r) }

// After implements [graph.Watcher].
func (k *Kit) After(r *graph.Request) { k.Log.add(r) }

// Calm takes away what was set for a tenant: its own time, delays, faults and
// limits, and what the log has of it.
func (k *Kit) Calm(tenant string) {
	k.Clocks.Reset(tenant)
	k.Delays.Reset(tenant)
	k.Faults.Reset(tenant)
	k.Log.Forget(tenant)
}

// A RefusedError is something that the kit was asked for and does not do. Message
// says what to ask for instead.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// actor is who changes things through the kit, in the audit log.
const actor = "lab"
