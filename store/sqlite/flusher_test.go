package sqlite

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/convene-meet/convene/meeting"
)

// slowDisk returns Options whose flushes of new meetings wait for their turn:
// each is announced and takes its result from there.
func slowDisk() (opts Options, flushing chan struct{}, result chan error) {
	flushing, result = make(chan struct{}), make(chan error)
	return Options{CacheBytes: -1, sync: func(*os.File) error {
		flushing <- struct{}{}
		return <-result
	}}, flushing, result
}

// TestNobodySeesWhatIsNotDurable: a meeting that is being flushed is in the
// database, and a crash could still undo it. Who asks for it waits, in every
// way of asking; who asks for another one does not; and the next transaction is
// written meanwhile.
func TestNobodySeesWhatIsNotDurable(t *testing.T) {
	ctx := context.Background()
	opts, flushing, flushed := slowDisk()
	s := open(t, t.TempDir(), opts)
	flush := func() { <-flushing; flushed <- nil }
	there := create(t, s, ctx, "there", meeting.Numbers(true))
	flush()
	old := <-there
	if old.err != nil {
		t.Fatal(old.err)
	}

	var m meeting.Meeting
	maker := create(t, s, ctx, "new", func(n *meeting.Meeting) {
		meeting.Numbers(true)(n)
		n.TollNumber = "+1 555 0100"
		m = *n
	})
	<-flushing
	leaving, leave := context.WithCancel(ctx)
	leave()
	asks := map[string]func(context.Context) (meeting.Meeting, error){
		"CreateOrGet": func(ctx context.Context) (meeting.Meeting, error) {
			r := <-create(t, s, ctx, "new", meeting.Numbers(true))
			if r.created {
				t.Error("CreateOrGet made a second one")
			}
			return r.m, r.err
		},
		"ByThread": func(ctx context.Context) (meeting.Meeting, error) {
			return s.ByThread(ctx, m.Tenant, m.ThreadID, m.MessageID, m.Created)
		},
		"ByJoinMeetingID": func(ctx context.Context) (meeting.Meeting, error) {
			return s.ByJoinMeetingID(ctx, m.JoinMeetingID, m.Created)
		},
		"ByConferenceID": func(ctx context.Context) (meeting.Meeting, error) {
			return s.ByConferenceID(ctx, m.TollNumber, m.ConferenceID, m.Created)
		},
		"ByVideoTeleconferenceID": func(ctx context.Context) (meeting.Meeting, error) {
			return s.ByVideoTeleconferenceID(ctx, m.Tenant, m.VideoTeleconferenceID, m.Created)
		},
	}
	answers := make(chan error, len(asks))
	for name, ask := range asks {
		if m, err := ask(leaving); !errors.Is(err, context.Canceled) {
			t.Errorf("%s while the meeting is flushed, and nobody waits: %q, error %v", name, m.ExternalID, err)
		}
		go func() {
			got, err := ask(ctx)
			if err == nil && got.ThreadID != m.ThreadID {
				err = errors.New(name + " found another meeting")
			}
			answers <- err
		}()
	}
	// Others are served, and written: both at once.
	if r := <-create(t, s, ctx, "there", meeting.Numbers(true)); r.err != nil || r.created || r.m.ThreadID != old.m.ThreadID {
		t.Errorf("another meeting: %+v", r)
	}
	next := create(t, s, ctx, "next", meeting.Numbers(true))
	select {
	case err := <-answers:
		t.Errorf("somebody was answered before the flush had ended: %v", err)
	case r := <-maker:
		t.Errorf("its maker was answered before the flush had ended: %+v", r)
	default:
	}
	flushed <- nil
	for range asks {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if r := <-maker; r.err != nil || !r.created {
		t.Errorf("its maker: %+v", r)
	}
	flush()
	if r := <-next; r.err != nil || !r.created {
		t.Errorf("the next one: %+v", r)
	}
}

// TestFlushFails: nobody is told of what could not be flushed, neither its maker
// nor who waits for it, then or later.
func TestFlushFails(t *testing.T) {
	ctx := context.Background()
	opts, flushing, flushed := slowDisk()
	told := make(chan error, 1)
	opts.Fatal = func(err error) { told <- err }
	s := open(t, t.TempDir(), opts)
	maker := create(t, s, ctx, "new", meeting.Numbers(true))
	<-flushing
	waiter := create(t, s, ctx, "new", meeting.Numbers(true))
	behind := create(t, s, ctx, "behind", meeting.Numbers(true))
	broken := errors.New("a broken disk")
	flushed <- broken
	for name, r := range map[string]result{"maker": <-maker, "waiter": <-waiter, "behind": <-behind, "later": <-create(t, s, ctx, "new", meeting.Numbers(true))} {
		if !errors.Is(r.err, meeting.ErrUnavailable) || r.created {
			t.Errorf("%s: created %v, error %v", name, r.created, r.err)
		}
	}
	if err := <-told; !errors.Is(err, broken) {
		t.Errorf("Fatal was told %v", err)
	}
}
