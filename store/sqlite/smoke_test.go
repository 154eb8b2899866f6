package sqlite

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir() + "/a/b"
	s, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, dir, Options{}); err == nil {
		t.Error("second open")
	} else {
		t.Log(err)
	}
	now := time.Now()
	owner := meeting.Owner{Tenant: meeting.NewGUID(), User: meeting.NewGUID()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 64 {
		wg.Go(func() {
			sub := "subject"
			d := meeting.Draft{Owner: owner, ExternalID: fmt.Sprint(i % 8), Subject: &sub, TollNumber: "+1"}
			m, err := d.Complete(now)
			if err != nil {
				t.Error(err)
			}
			got, created, err := s.CreateOrGet(ctx, m, meeting.Numbers(true))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
			by, err := s.ByThread(ctx, owner.Tenant, got.ThreadID, got.MessageID, now)
			if err != nil || by.JoinMeetingID != got.JoinMeetingID {
				t.Error(err, by, got)
			}
		})
	}
	wg.Wait()
	if made != 8 {
		t.Error(made)
	}
	svc := identity.Keys{Store: s, Now: time.Now}
	if _, err := svc.Signing(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Apply(ctx, now, []identity.Change{{Record: identity.Record{Kind: "user", ID: "x"}, Expect: 2}}); err == nil {
		t.Error("no conflict")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, _ := s.Generation(ctx)
	t.Log(g)
	s.Close()
}
