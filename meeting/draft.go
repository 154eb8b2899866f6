package meeting

import (
	"cmp"
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
	// PasscodeRequired has a passcode generated.
	PasscodeRequired bool
	// Settings are applied to the default options, in their order.
	Settings []Setting
}

// A Setting sets one option of a meeting, or refuses to with an [InvalidError].
type Setting func(*Options) error

// Complete applies the documented defaults and rejects what they cannot mend.
// The meeting has no numbers yet: see [Numbers].
func (d Draft) Complete(now time.Time) (Meeting, error) {
	if err := checkExternalID(d.ExternalID); err != nil {
		return Meeting{}, err
	}
	return d.complete(now)
}

func checkExternalID(id string) error {
	if strings.TrimSpace(id) == "" {
		return &InvalidError{"externalId", "externalId is required. Send a string that is not blank."}
	}
	if !clean(id) {
		return &InvalidError{"externalId", "externalId must be valid Unicode without the character U+0000."}
	}
	if n := utf16Len(id); n > MaxExternalID {
		return &InvalidError{"externalId", fmt.Sprintf("externalId has %d UTF-16 code units; at most %d are allowed.", n, MaxExternalID)}
	}
	return nil
}

func checkSubject(s *string) error {
	if s == nil {
		return nil
	}
	if !clean(*s) {
		return &InvalidError{"subject", "subject must be valid Unicode without the character U+0000."}
	}
	if n := utf16Len(*s); n > MaxSubject {
		return &InvalidError{"subject", fmt.Sprintf("subject has %d UTF-16 code units; at most %d are allowed.", n, MaxSubject)}
	}
	return nil
}

func checkAttendees(all []Participant) error {
	if len(all) > MaxAttendees {
		return &InvalidError{"participants/attendees", fmt.Sprintf("participants/attendees has %d entries; at most %d are allowed.", len(all), MaxAttendees)}
	}
	return nil
}

// complete is Complete for a meeting with or without an external id.
func (d Draft) complete(now time.Time) (Meeting, error) {
	if err := cmp.Or(checkSubject(d.Subject), checkAttendees(d.Attendees)); err != nil {
		return Meeting{}, err
	}
	if d.Start == nil && d.End != nil {
		return Meeting{}, &InvalidError{"startDateTime", "startDateTime is required when endDateTime is provided."}
	}
	now = now.UTC().Truncate(Tick)
	start := valueOr(d.Start, now).UTC().Truncate(Tick)
	end := valueOr(d.End, start.Add(DefaultLength)).UTC().Truncate(Tick)
	if err := checkTimes(start, end); err != nil {
		if d.End == nil {
			err = &InvalidError{"startDateTime", "startDateTime must not be later than 9998-12-31T23:00:00Z: the meeting has to end before the year 9999."}
		}
		return Meeting{}, err
	}
	options, err := apply(DefaultOptions(), d.Settings)
	if err != nil {
		return Meeting{}, err
	}
	passcode := ""
	if d.PasscodeRequired {
		passcode = newPasscode()
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
		Passcode:   passcode,
		Options:    options,
		Revision:   1,
	}, nil
}

// checkTimes checks the times of a meeting against each other.
func checkTimes(start, end time.Time) error {
	if end.Before(start) {
		return &InvalidError{"endDateTime", "endDateTime must not be earlier than startDateTime."}
	}
	if end.After(latestEnd) {
		return &InvalidError{"endDateTime", "endDateTime must not be later than 9999-01-01T00:00:00Z."}
	}
	return nil
}

// apply applies settings to options.
func apply(o Options, settings []Setting) (Options, error) {
	for _, set := range settings {
		if err := set(&o); err != nil {
			return o, err
		}
	}
	return o, nil
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
