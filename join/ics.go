package join

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// calendarFile is a meeting as an iCalendar object (RFC 5545): one event, whose UID
// stays the same and whose SEQUENCE grows with each change.
func calendarFile(m *meeting.Meeting, organizer *identity.User, address string, now time.Time) []byte {
	const utc = "20060102T150405Z"
	var b bytes.Buffer
	line := func(s string) { fold(&b, s) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//Convene//Meetings//EN")
	line("METHOD:PUBLISH")
	line("BEGIN:VEVENT")
	line("UID:" + KeyOf(m).Room() + "@convene")
	line("DTSTAMP:" + now.UTC().Format(utc))
	line("DTSTART:" + m.Start.UTC().Format(utc))
	line("DTEND:" + m.End.UTC().Format(utc))
	line("SEQUENCE:" + strconv.FormatInt(m.Revision-1, 10))
	line("SUMMARY:" + icsText(title(*m)))
	line("LOCATION:" + icsText(address))
	line("DESCRIPTION:" + icsText(address))
	line("URL:" + address)
	if organizer != nil && organizer.UPN != "" {
		mail := organizer.Mail
		if mail == "" {
			mail = organizer.UPN
		}
		line(`ORGANIZER;CN="` + icsParameter(organizer.DisplayName) + `":mailto:` + icsAddress(mail))
	}
	line("END:VEVENT")
	line("END:VCALENDAR")
	return b.Bytes()
}

// icsText escapes a value of type TEXT (section 3.3.11).
func icsText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(strings.Map(printable, s))
}

// icsParameter makes a value fit for a quoted parameter (section 3.1), which has
// no escapes.
func icsParameter(s string) string {
	return strings.NewReplacer(`"`, "'", "\r", " ", "\n", " ").Replace(strings.Map(printable, s))
}

func icsAddress(s string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == 0x7f {
			return -1
		}
		return c
	}, s)
}

// printable drops control characters but those that end lines.
func printable(c rune) rune {
	if c < ' ' && c != '\n' && c != '\r' || c == 0x7f {
		return -1
	}
	return c
}

// fold writes a line in pieces of at most 75 octets (section 3.1), none of which
// cuts a character in two.
func fold(b *bytes.Buffer, s string) {
	for room := 75; len(s) > room; room = 74 {
		n := room
		for !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n] + "\r\n ")
		s = s[n:]
	}
	b.WriteString(s + "\r\n")
}
