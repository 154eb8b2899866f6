package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

var benchOwner = meeting.Owner{Tenant: "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10", User: "c0ffee00-0001-4a00-8000-000000000001"}

// newMeeting is a meeting as the API makes them.
func newMeeting(tb testing.TB, owner meeting.Owner, externalID string) meeting.Meeting {
	tb.Helper()
	subject := "Kick-off of " + externalID
	m, err := meeting.Draft{Owner: owner, ExternalID: externalID, Subject: &subject, TollNumber: "+1 206-555-0100"}.Complete(time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func BenchmarkCreateAlone(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	n := 0
	for b.Loop() {
		n++
		if _, created, err := s.CreateOrGet(context.Background(), newMeeting(b, benchOwner, fmt.Sprint(n)), meeting.Numbers(true)); err != nil || !created {
			b.Fatal(created, err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, created, err := s.CreateOrGet(context.Background(), newMeeting(b, benchOwner, fmt.Sprint(n.Add(1))), meeting.Numbers(true)); err != nil || !created {
				b.Error(created, err)
			}
		}
	})
}
