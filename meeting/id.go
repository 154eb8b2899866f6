package meeting

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"
)

// NoMessage is the message id of every meeting that is not in a channel.
const NoMessage = "0"

const (
	threadPrefix  = "19:meeting_"
	threadSuffix  = "@thread.v2"
	channelPrefix = "19:"
	channelSuffix = "@thread.tacv2"
)

// ErrCorruptID is an id that is not the base64 of the form that [ID] writes.
var ErrCorruptID = errors.New("the meeting id is corrupted")

// ID is the wire's id of m: standard base64 of
// "1*{organizer}*{message}**{thread}".
func (m Meeting) ID() string { return string(m.AppendID(nil)) }

// AppendID appends [Meeting.ID] to b.
func (m Meeting) AppendID(b []byte) []byte {
	var room [256]byte
	raw := append(room[:0], "1*"...)
	raw = append(raw, m.User...)
	raw = append(raw, '*')
	raw = append(raw, m.MessageID...)
	raw = append(raw, "**"...)
	raw = append(raw, m.ThreadID...)
	return base64.StdEncoding.AppendEncode(b, raw)
}

// ParseID takes an id apart. Its parts are untrusted: they need not belong
// together, nor to the tenant that asks.
func ParseID(id string) (user, message, thread string, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(id)
	if err != nil {
		return "", "", "", ErrCorruptID
	}
	rest, ok := strings.CutPrefix(string(raw), "1*")
	if !ok {
		return "", "", "", ErrCorruptID
	}
	user, rest, ok1 := strings.Cut(rest, "*")
	message, thread, ok2 := strings.Cut(rest, "**")
	if !ok1 || !ok2 || user == "" || message == "" || thread == "" || strings.Contains(message, "*") {
		return "", "", "", ErrCorruptID
	}
	return user, message, thread, nil
}

// IsChannelThread reports whether thread names a channel rather than a chat.
func IsChannelThread(thread string) bool {
	rest, ok := strings.CutPrefix(thread, channelPrefix)
	name, ok2 := strings.CutSuffix(rest, channelSuffix)
	return ok && ok2 && name != "" && len(thread) <= 256 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
}

// Numbers returns the drawing function of a new meeting: it gives a meeting a
// thread of its own (in a channel: a message id), a join meeting id and, where
// they apply, a videoTeleconferenceId and a conference id. Every call draws
// anew, from a cryptographic source.
func Numbers(videoInterop bool) func(*Meeting) {
	tries := int64(0)
	return func(m *Meeting) {
		if IsChannelThread(m.ThreadID) {
			m.MessageID = strconv.FormatInt(m.Created.UnixMilli()+tries, 10)
			tries++
		} else {
			m.ThreadID, m.MessageID = newThread(m.Created), NoMessage
		}
		m.JoinMeetingID = digits(15)
		if videoInterop {
			m.VideoTeleconferenceID = digits(10)
		}
		if m.TollNumber != "" {
			m.ConferenceID = digits(9)
		}
	}
}

// newThread draws the thread id of an ordinary meeting:
// "19:meeting_{base64 of a GUID}@thread.v2". The GUID begins with the time and
// goes on with 74 random bits (RFC 9562, version 7), so that the threads of
// meetings made one after the other lie side by side in an index.
func newThread(now time.Time) string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	guid := guidText(u)
	return threadPrefix + base64.StdEncoding.EncodeToString(guid[:]) + threadSuffix
}

// NewGUID draws a version 4 GUID in lower case (RFC 9562, section 5.4).
func NewGUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	s := guidText(u)
	return string(s[:])
}

// newPasscode draws a passcode: 8 letters and digits, without those that people
// confuse, about 46 bits.
func newPasscode() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	var s [8]byte
	for i := 0; i < len(s); {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand
		if int(b[0]) < 256/len(letters)*len(letters) {
			s[i] = letters[int(b[0])%len(letters)]
			i++
		}
	}
	return string(s[:])
}

func guidText(u [16]byte) (s [36]byte) {
	const hex = "0123456789abcdef"
	j := 0
	for i, c := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			s[j] = '-'
			j++
		}
		s[j], s[j+1] = hex[c>>4], hex[c&15]
		j += 2
	}
	return s
}

// digits draws a decimal number of exactly n digits, n below 19, that does not
// begin with zero.
func digits(n int) string {
	low := uint64(1)
	for range n - 1 {
		low *= 10
	}
	span := low * 9
	limit := ^uint64(0) - ^uint64(0)%span // above it the draw would be uneven
	for {
		var b [8]byte
		_, _ = rand.Read(b[:])
		if v := binary.LittleEndian.Uint64(b[:]); v < limit {
			return strconv.FormatUint(low+v%span, 10)
		}
	}
}

// Grouped writes a number as invitations print it: in groups of three digits.
func Grouped(digits string) string {
	var s strings.Builder
	for i, c := range digits {
		if i > 0 && i%3 == 0 {
			s.WriteByte(' ')
		}
		s.WriteRune(c)
	}
	return s.String()
}
