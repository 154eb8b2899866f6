package booking_test

import (
	"strings"
	"testing"

	booking "github.com/convene-meet/convene/examples/go"
	"github.com/convene-meet/convene/graphtest"
)

func TestOneMeetingForAnOrder(t *testing.T) {
	srv := graphtest.New(t)
	meetings := &booking.Meetings{
		Client: srv.Client(),
		Root:   srv.URL + "/v1.0",
		Token:  srv.AppToken("booking"),
		User:   "c0ffee00-0001-4a00-8000-000000000002",
	}
	ctx := t.Context()
	first, made, err := meetings.ForOrder(ctx, "4711")
	if err != nil || !made {
		t.Fatalf("made %v, error %v", made, err)
	}
	again, made, err := meetings.ForOrder(ctx, "4711")
	if err != nil || made || again.ID != first.ID {
		t.Errorf("the second time: made %v, error %v, the same meeting %v", made, err, again.ID == first.ID)
	}
	moved, err := meetings.Move(ctx, first.ID, "2031-02-06T09:00:00Z", "2031-02-06T10:00:00Z")
	if err != nil || moved.Start != "2031-02-06T09:00:00Z" {
		t.Errorf("moved to %s, error %v", moved.Start, err)
	}
	if found, err := meetings.ByLink(ctx, first.JoinWebURL); err != nil || found.ID != first.ID {
		t.Errorf("by its link: %+v, error %v", found, err)
	}
	if err := meetings.Cancel(ctx, first.ID); err != nil {
		t.Error(err)
	}
	if _, err := meetings.ByLink(ctx, first.JoinWebURL); err == nil || !strings.HasPrefix(err.Error(), "NotFound: 3004") {
		t.Errorf("after it was cancelled: %v", err)
	}
}
