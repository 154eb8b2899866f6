package meeting

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// DefaultLength is how long a meeting without an end lasts (onlineMeeting:
	// createOrGet, notes on the request body).
	DefaultLength = time.Hour
	// Lifetime is how long a meeting exists after it was made or ended,
	// whichever is later (resource page of onlineMeeting: 60 days).
	Lifetime = 60 * 24 * time.Hour
	// MaxExternalID is the greatest length of an externalId in UTF-16 units.
	MaxExternalID = 256
	// MaxSubject is the greatest length of a subject in UTF-16 units.
	MaxSubject = 4096
	// MaxAttendees is how many attendees one meeting may name.
	MaxAttendees = 1000
)

// Tick is the precision of every time of a meeting: 100 ns.
const Tick = 100 * time.Nanosecond

// latestEnd leaves room for the lifetime below the last year that has four
// digits, so that every time of a meeting can be written.
var latestEnd = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// A Draft is a meeting as asked for. A nil time means "not given".
type Draft struct {
	Owner      Owner
	ExternalID string
	Subject    *string
	Start, End *time.Time
	Attendees  []Participant
	// Channel is the thread of a channel in which to hold the meeting; empty
	// for an ordinary meeting.
	Channel string
	// TollNumber is the tenant's dial-in number; empty where it has none.
	TollNumber string
	// VideoInterop says whether the meeting gets a videoTeleconferenceId.
	VideoInterop bool
}

// Complete applies the documented defaults and rejects what they cannot mend.
// The meeting has no numbers yet: see [Numbers].
func (d Draft) Complete(now time.Time) (Meeting, error) {
	if strings.TrimSpace(d.ExternalID) == "" {
		return Meeting{}, &InvalidError{"externalId", "externalId is required. Send a string that is not blank."}
	}
	if !clean(d.ExternalID) {
		return Meeting{}, &InvalidError{"externalId", "externalId must be valid Unicode without the character U+0000."}
	}
	if n := utf16Len(d.ExternalID); n > MaxExternalID {
		return Meeting{}, &InvalidError{"externalId", fmt.Sprintf("externalId has %d UTF-16 code units; at most %d are allowed.", n, MaxExternalID)}
	}
	if d.Subject != nil {
		if !clean(*d.Subject) {
			return Meeting{}, &InvalidError{"subject", "subject must be valid Unicode without the character U+0000."}
		}
		if n := utf16Len(*d.Subject); n > MaxSubject {
			return Meeting{}, &InvalidError{"subject", fmt.Sprintf("subject has %d UTF-16 code units; at most %d are allowed.", n, MaxSubject)}
		}
	}
	if len(d.Attendees) > MaxAttendees {
		return Meeting{}, &InvalidError{"participants/attendees", fmt.Sprintf("participants/attendees has %d entries; at most %d are allowed.", len(d.Attendees), MaxAttendees)}
	}
	if d.Start == nil && d.End != nil {
		return Meeting{}, &InvalidError{"startDateTime", "startDateTime is required when endDateTime is provided."}
	}
	now = now.UTC().Truncate(Tick)
	start := valueOr(d.Start, now).UTC().Truncate(Tick)
	end := valueOr(d.End, start.Add(DefaultLength)).UTC().Truncate(Tick)
	if end.Before(start) {
		return Meeting{}, &InvalidError{"endDateTime", "endDateTime must not be earlier than startDateTime."}
	}
	if end.After(latestEnd) {
		name := "endDateTime"
		if d.End == nil {
			name = "startDateTime"
		}
		return Meeting{}, &InvalidError{name, name + " must be before the year 9999."}
	}
	return Meeting{
		Owner:      d.Owner,
		ExternalID: d.ExternalID,
		ThreadID:   d.Channel,
		Subject:    d.Subject,
		Start:      start,
		End:        end,
		Created:    now,
		Expires:    Expiry(now, end),
		Attendees:  d.Attendees,
		TollNumber: d.TollNumber,
		Options:    DefaultOptions(),
		Revision:   1,
	}, nil
}

// Expiry is when a meeting that ends at end and was made, changed or joined at
// now ceases to exist.
func Expiry(now, end time.Time) time.Time {
	if now.After(end) {
		end = now
	}
	return end.Add(Lifetime)
}

func valueOr(t *time.Time, other time.Time) time.Time {
	if t == nil {
		return other
	}
	return *t
}

// clean reports whether every engine can keep s: PostgreSQL's text takes neither
// broken UTF-8 nor the character U+0000.
func clean(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func utf16Len(s string) int {
	if len(s) <= MaxExternalID { // never more units than bytes
		return len(s)
	}
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}
