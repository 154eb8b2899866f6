package storetest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
)

// A memory is an engine that keeps every promise of the contracts, as plainly
// as possible, but for the one fault it was given. Its disk is a copy of its
// state; a crash returns to that.
type memory struct {
	fault   string
	meeting chan struct{} // see meet
	mu      sync.Mutex
	state
	disk     state
	watchers join.Watchers
}

type state struct {
	meetings   map[string]meeting.Meeting // by thread key
	records    map[recordKey]identity.Record
	audit      []identity.AuditEntry
	generation int64
	rooms      map[string]join.Room // by name
	messages   map[join.Key][]join.Message
	reports    map[join.Key][]meeting.Report // the newest first
	past       map[trace]bool
}

// A trace is what is left of a meeting that is gone.
type trace struct {
	owner           meeting.Owner
	thread, message string
}

type recordKey struct {
	kind       identity.Kind
	tenant, id string
}

func newMemory(fault string) *memory {
	empty := state{
		meetings: map[string]meeting.Meeting{}, records: map[recordKey]identity.Record{},
		rooms: map[string]join.Room{}, messages: map[join.Key][]join.Message{}, reports: map[join.Key][]meeting.Report{},
		past: map[trace]bool{},
	}
	return &memory{fault: fault, meeting: make(chan struct{}), state: empty, disk: empty}
}

func (s state) clone() state {
	s.meetings, s.records, s.audit = maps.Clone(s.meetings), maps.Clone(s.records), slices.Clone(s.audit)
	s.rooms, s.messages, s.reports = maps.Clone(s.rooms), maps.Clone(s.messages), maps.Clone(s.reports)
	s.past = maps.Clone(s.past)
	return s
}

// write runs a change of the state. Where the change is acknowledged before it
// is durable, a crash finds the state before it.
func (e *memory) write(change func() error) error {
	if e.fault == "acknowledged before durable" {
		e.disk = e.clone()
	}
	return change()
}

// Crash implements storetest.Crasher for the contracts, which differ in its type.
func (e *memory) crashed() *memory {
	e.mu.Lock()
	defer e.mu.Unlock()
	after := &memory{fault: e.fault, meeting: make(chan struct{}), state: e.state}
	if e.fault == "acknowledged before durable" {
		after.state = e.disk
	}
	if e.fault == "generation begins anew" {
		after.generation = 0
	}
	return after
}

// meetings, directory and rooms are a memory as one of the contracts.
type (
	meetings  struct{ *memory }
	rooms     struct{ *memory }
	directory struct{ *memory }
)

func (e meetings) Crash(*testing.T) meeting.Store     { return meetings{e.crashed()} }
func (e meetings) Peer(*testing.T) meeting.Store      { return e }
func (e directory) Crash(*testing.T) identity.Store   { return directory{e.crashed()} }
func (e directory) Peer(*testing.T) identity.Store    { return e }
func (e rooms) Crash(*testing.T) join.Store           { return rooms{e.crashed()} }
func (e rooms) Peer(*testing.T) join.Store            { return e }
func threadKey(tenant, thread, message string) string { return tenant + "\n" + thread + "\n" + message }

// clone copies a value with all it points to; it is the slow way.
func clone[T any](m T) T {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	var n T
	if err := json.Unmarshal(text, &n); err != nil {
		panic(err)
	}
	return n
}

// yield lets other callers in.
func (e *memory) yield() {
	e.mu.Unlock()
	for range 50 {
		runtime.Gosched()
	}
	e.mu.Lock()
}

// meet waits at a place where no engine should let others in until another caller
// is there, too, however busy the machine is; alone it gives up.
func (e *memory) meet() {
	e.mu.Unlock()
	defer e.mu.Lock()
	alone := time.NewTimer(200 * time.Millisecond)
	defer alone.Stop()
	select {
	case e.meeting <- struct{}{}:
	case <-e.meeting:
	case <-alone.C:
	}
}

func (e *memory) gone(m meeting.Meeting, now time.Time) bool {
	switch e.fault {
	case "expires a tick late":
		return now.After(m.Expires)
	case "never expires":
		return false
	}
	return m.Expired(now)
}

func (e *memory) sameOwner(a, b meeting.Owner) bool {
	switch e.fault {
	case "user left out of the key":
		return a.Tenant == b.Tenant
	case "tenant left out of the key":
		return a.User == b.User
	}
	return a == b
}

func (e *memory) byOwner(m meeting.Meeting) (meeting.Meeting, bool) {
	for _, o := range e.meetings {
		if m.ExternalID != "" && o.ExternalID == m.ExternalID && e.sameOwner(o.Owner, m.Owner) {
			return o, true
		}
	}
	return meeting.Meeting{}, false
}

// holder finds a living meeting that has a number of m.
func (e *memory) holder(m meeting.Meeting, now time.Time) (meeting.Meeting, bool) {
	for key, o := range e.meetings {
		taken := o.Tenant == m.Tenant && o.ThreadID == m.ThreadID && o.MessageID == m.MessageID ||
			o.JoinMeetingID == m.JoinMeetingID ||
			o.VideoTeleconferenceID == m.VideoTeleconferenceID && m.VideoTeleconferenceID != "" ||
			o.ConferenceID == m.ConferenceID && m.ConferenceID != "" && (o.TollNumber == m.TollNumber || e.fault == "toll number left out")
		if taken && (!e.gone(o, now) || e.fault == "expired rows hold numbers") {
			return o, true
		} else if taken {
			e.bury(key, "forgets whose numbers were taken")
		}
	}
	return meeting.Meeting{}, false
}

var errOneFails = fmt.Errorf("%w: a number is taken", meeting.ErrUnavailable)

// CreateOrGet implements meeting.Store.
func (e meetings) CreateOrGet(_ context.Context, m meeting.Meeting, draw func(*meeting.Meeting)) (meeting.Meeting, bool, error) {
	now := m.Created
	e.mu.Lock()
	defer e.mu.Unlock()
	for range meeting.MaxDraws {
		old, ok := e.byOwner(m)
		if ok && !e.gone(old, now) {
			return e.out(old), false, nil
		} else if ok && e.fault == "an expired row blocks its key" {
			return meeting.Meeting{}, false, errOneFails
		} else if ok {
			e.bury(threadKey(old.Tenant, old.ThreadID, old.MessageID), "forgets what was replaced")
		}
		draw(&m)
		if e.fault == "check, then insert" {
			e.meet()
		}
		if other, taken := e.holder(m, now); taken {
			switch e.fault {
			case "a taken number is taken for the external ID":
				return e.out(other), false, nil
			case "a taken number is an error":
				return meeting.Meeting{}, false, errOneFails
			}
			continue
		}
		err := e.write(func() error {
			e.meetings[threadKey(m.Tenant, m.ThreadID, m.MessageID)] = e.out(m)
			return nil
		})
		return e.out(m), true, err
	}
	return meeting.Meeting{}, false, errOneFails
}

func (e *memory) out(m meeting.Meeting) meeting.Meeting {
	if e.fault == "shares its memory" {
		return m
	}
	return clone(m)
}

func (e meetings) find(now time.Time, fits func(meeting.Meeting) bool) (meeting.Meeting, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.meetings {
		if fits(m) && !e.gone(m, now) {
			return e.out(m), nil
		}
	}
	return meeting.Meeting{}, meeting.ErrNotFound
}

// ByThread implements meeting.Store.
func (e meetings) ByThread(_ context.Context, tenant, thread, message string, now time.Time) (meeting.Meeting, error) {
	return e.find(now, func(m meeting.Meeting) bool {
		return (m.Tenant == tenant || e.fault == "any tenant's thread") && m.ThreadID == thread && m.MessageID == message
	})
}

// ByJoinMeetingID implements meeting.Store.
func (e meetings) ByJoinMeetingID(_ context.Context, id string, now time.Time) (meeting.Meeting, error) {
	return e.find(now, func(m meeting.Meeting) bool { return m.JoinMeetingID == id && id != "" })
}

// ByConferenceID implements meeting.Store.
func (e meetings) ByConferenceID(_ context.Context, toll, id string, now time.Time) (meeting.Meeting, error) {
	return e.find(now, func(m meeting.Meeting) bool { return m.TollNumber == toll && m.ConferenceID == id && id != "" })
}

// ByVideoTeleconferenceID implements meeting.Store.
func (e meetings) ByVideoTeleconferenceID(_ context.Context, tenant, vtc string, now time.Time) (meeting.Meeting, error) {
	return e.find(now, func(m meeting.Meeting) bool {
		return m.Tenant == tenant && m.VideoTeleconferenceID == vtc && (vtc != "" || e.fault == "finds what has no number")
	})
}

// Update implements meeting.Store.
func (e meetings) Update(_ context.Context, tenant, thread, message string, now time.Time, change func(*meeting.Meeting) error) (meeting.Meeting, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := threadKey(tenant, thread, message)
	for {
		old, ok := e.meetings[key]
		if !ok || e.gone(old, now) {
			return meeting.Meeting{}, meeting.ErrNotFound
		}
		m := e.out(old)
		if e.fault == "a failed update stays" {
			defer func() { e.meetings[key] = m }()
		}
		if err := change(&m); err != nil {
			return meeting.Meeting{}, err
		}
		if e.fault != "an update changes keys" {
			m.Owner, m.ExternalID, m.ThreadID, m.MessageID = old.Owner, old.ExternalID, old.ThreadID, old.MessageID
			m.JoinMeetingID, m.VideoTeleconferenceID, m.TollNumber, m.ConferenceID = old.JoinMeetingID, old.VideoTeleconferenceID, old.TollNumber, old.ConferenceID
		}
		m.Revision = old.Revision + 1
		if e.fault == "an update is lost" {
			e.meet()
		} else {
			e.yield()
		}
		if e.meetings[key].Revision != old.Revision && e.fault != "an update is lost" {
			continue
		}
		err := e.write(func() error {
			e.meetings[key] = e.out(m)
			return nil
		})
		return e.out(m), err
	}
}

// Delete implements meeting.Store.
func (e meetings) Delete(_ context.Context, tenant, thread, message string, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := threadKey(tenant, thread, message)
	m, ok := e.meetings[key]
	if !ok || e.gone(m, now) {
		return meeting.ErrNotFound
	}
	if e.fault == "two delete one" {
		e.meet()
	}
	return e.write(func() error {
		e.bury(key, "forgets what was deleted")
		return nil
	})
}

// bury takes a meeting away and remembers that there was one, without a fault.
func (e *memory) bury(key, fault string) {
	m := e.meetings[key]
	delete(e.meetings, key)
	if e.fault != fault {
		e.past[trace{m.Owner, m.ThreadID, m.MessageID}] = true
	}
}

// Gone implements meeting.Store.
func (e meetings) Gone(_ context.Context, owner meeting.Owner, thread, message string, now time.Time) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, ok := e.meetings[threadKey(owner.Tenant, thread, message)]
	if ok && !m.Expired(now) && e.fault != "what is there again is gone" {
		return false, nil
	}
	if e.fault == "tells strangers what is gone" {
		for t := range e.past {
			if t.owner.Tenant == owner.Tenant && t.thread == thread && t.message == message {
				return true, nil
			}
		}
	}
	return e.past[trace{owner, thread, message}] || ok && m.Owner == owner && m.Expired(now) && e.fault != "forgets what has expired", nil
}

func (e *memory) passed(r identity.Record, now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires) && e.fault != "never expires"
}

func (e directory) look(now time.Time, fits func(identity.Record) bool) (all []identity.Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.records {
		if fits(r) && !e.passed(r, now) {
			if e.fault != "shares its memory" {
				r.Doc = slices.Clone(r.Doc)
			}
			all = append(all, r)
		}
	}
	if e.fault != "lists in no order" {
		slices.SortFunc(all, func(a, b identity.Record) int { return cmp.Compare(a.ID, b.ID) })
	}
	return all
}

func (e directory) one(now time.Time, fits func(identity.Record) bool) (identity.Record, error) {
	for _, r := range e.look(now, fits) {
		return r, nil
	}
	return identity.Record{}, identity.ErrNoRecord
}

// Record implements identity.Store.
func (e directory) Record(_ context.Context, kind identity.Kind, tenant, id string, now time.Time) (identity.Record, error) {
	return e.one(now, func(r identity.Record) bool { return r.Kind == kind && r.Tenant == tenant && r.ID == id })
}

// RecordByName implements identity.Store.
func (e directory) RecordByName(_ context.Context, kind identity.Kind, tenant, name string, now time.Time) (identity.Record, error) {
	return e.one(now, func(r identity.Record) bool {
		return r.Kind == kind && r.Tenant == tenant && r.Name == name && name != ""
	})
}

// Records implements identity.Store.
func (e directory) Records(_ context.Context, kind identity.Kind, tenant string, now time.Time) ([]identity.Record, error) {
	return e.look(now, func(r identity.Record) bool { return r.Kind == kind && r.Tenant == tenant }), nil
}

// Apply implements identity.Store.
func (e directory) Apply(_ context.Context, now time.Time, changes []identity.Change, audit ...identity.AuditEntry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.state.clone()
	err := e.write(func() error {
		for _, c := range changes {
			if err := e.applyOne(c, now); err != nil {
				return err
			}
			if c.Record.Kind.Steers() && e.fault != "the generation stays" || e.fault == "sign-in moves the generation" {
				e.generation++
			}
		}
		for _, entry := range audit {
			entry.Seq = int64(len(e.audit) + 1)
			e.audit = append(e.audit, entry)
			if e.fault == "an audit entry is lost" {
				break
			}
		}
		return nil
	})
	if err != nil && e.fault != "half of Apply stays" {
		e.state = before
	}
	return err
}

func (e directory) applyOne(c identity.Change, now time.Time) error {
	r := c.Record
	key := recordKey{r.Kind, r.Tenant, r.ID}
	old := e.records[key]
	if e.passed(old, now) && e.fault != "an expired row blocks its key" {
		old = identity.Record{}
	}
	if c.Expect != identity.AnyRevision && c.Expect != old.Revision {
		return identity.ErrConflict
	}
	if e.fault == "check, then write" {
		e.meet()
	}
	if c.Delete {
		delete(e.records, key)
		return nil
	}
	for k, other := range e.records {
		if k == key || k.kind != r.Kind || k.tenant != r.Tenant && e.fault != "tenant left out of the name" || other.Name != r.Name || r.Name == "" {
			continue
		}
		if !e.passed(other, now) && e.fault != "names are not unique" {
			return identity.ErrConflict
		}
		if e.passed(other, now) {
			delete(e.records, k)
		}
	}
	r.Revision = old.Revision + 1
	if e.fault != "shares its memory" {
		r.Doc = slices.Clone(r.Doc)
	}
	e.records[key] = r
	return nil
}

// Generation implements identity.Store.
func (e directory) Generation(context.Context) (int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.generation, nil
}

// Audit implements identity.Store.
func (e directory) Audit(_ context.Context, tenant string, after int64, limit int) (all []identity.AuditEntry, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, entry := range e.audit {
		if len(all) < limit && entry.Seq > after && (tenant == "" || entry.Tenant == tenant || e.fault == "audits every tenant") {
			all = append(all, entry)
		}
	}
	return all, nil
}

func (e meetings) List(_ context.Context, q meeting.Query, now time.Time) ([]meeting.Meeting, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.asked(q, now)
	slices.SortFunc(all, func(a, b meeting.Meeting) int {
		order := comparePositions(meeting.PositionOf(&a), meeting.PositionOf(&b))
		if q.Descending {
			return -order
		}
		return order
	})
	if q.After != nil {
		all = slices.DeleteFunc(all, func(m meeting.Meeting) bool {
			order := comparePositions(meeting.PositionOf(&m), q.After)
			if e.fault == "a page repeats the last one" {
				return order < 0 != q.Descending && order != 0
			}
			return order == 0 || order < 0 != q.Descending
		})
	}
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	return all, nil
}

func (e meetings) Count(_ context.Context, q meeting.Query, now time.Time) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asked(q, now)), nil
}

func (e meetings) asked(q meeting.Query, now time.Time) (all []meeting.Meeting) {
	for _, m := range e.meetings {
		in := func(t time.Time, from, to *time.Time) bool {
			return !(from != nil && t.Before(*from) || to != nil && t.After(*to))
		}
		switch {
		case m.Tenant != q.Tenant && e.fault != "lists every tenant", q.User != "" && m.User != q.User, m.Expired(now) && e.fault != "lists what has expired",
			!in(m.Start, q.StartFrom, q.StartTo), !in(m.End, q.EndFrom, q.EndTo):
		default:
			all = append(all, e.out(m))
		}
	}
	return all
}

func comparePositions(a, b *meeting.Position) int {
	return cmp.Or(cmp.Compare(a.User, b.User), a.Start.Compare(b.Start), cmp.Compare(a.Thread, b.Thread), cmp.Compare(a.Message, b.Message))
}

func (e meetings) Replace(_ context.Context, tenant string, all []meeting.Meeting) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.write(func() error {
		before := e.state.clone()
		for key, m := range e.meetings {
			if m.Tenant == tenant || e.fault == "replaces every tenant's" {
				delete(e.meetings, key)
			}
		}
		for t := range e.past {
			if t.owner.Tenant == tenant && e.fault != "remembers what was replaced" || e.fault == "forgets every tenant's" {
				delete(e.past, t)
			}
		}
		for _, m := range all {
			_, owned := e.byOwner(m)
			if _, taken := e.holder(m, time.Time{}); taken || owned {
				if e.fault != "half of Replace stays" {
					e.state = before
				}
				return meeting.ErrTaken
			}
			e.meetings[threadKey(m.Tenant, m.ThreadID, m.MessageID)] = e.out(m)
		}
		return nil
	})
}
