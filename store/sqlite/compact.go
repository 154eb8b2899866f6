package sqlite

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// Most keys are GUIDs and numbers written as text. Each function here has a
// short form for the usual spelling and keeps any other text as it is. The two
// have different types in SQLite, where a blob, an integer and a text are never
// equal, so each text has exactly one form and keys stay exact.

// compactGUID turns a GUID in lower case into its 16 bytes.
func compactGUID(s string) value {
	if b, ok := guidBytes(s); ok {
		return value{kind: isGUID, guid: b}
	}
	return text(s)
}

// compactNumber turns decimal digits without a leading zero into an integer.
func compactNumber(s string) value {
	if s == "" || s[0] < '0' || s[0] > '9' || s[0] == '0' && len(s) > 1 {
		return text(s)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return integer(n)
	}
	return text(s)
}

const (
	threadPrefix = "19:meeting_"
	threadSuffix = "@thread.v2"
)

// compactThread turns the thread of an ordinary meeting into the 16 bytes of
// the GUID that it holds in base64.
func compactThread(s string) value {
	inner, ok := strings.CutPrefix(s, threadPrefix)
	inner, ok2 := strings.CutSuffix(inner, threadSuffix)
	if !ok || !ok2 || len(inner) != base64.StdEncoding.EncodedLen(36) {
		return text(s)
	}
	var in [48]byte
	copy(in[:], inner)
	var guid [36]byte
	if _, err := base64.StdEncoding.Strict().Decode(guid[:], in[:]); err != nil {
		return text(s)
	}
	if b, ok := guidBytes(string(guid[:])); ok {
		return value{kind: isGUID, guid: b}
	}
	return text(s)
}

// optional keeps a key that is empty out of its index.
func optional(s string, compact func(string) value) value {
	if s == "" {
		return value{}
	}
	return compact(s)
}

func (s *scanner) guid() string {
	if b, ok := s.short(); ok {
		return string(guidText(b))
	}
	return s.text()
}

func (s *scanner) thread() string {
	b, ok := s.short()
	if !ok {
		return s.text()
	}
	var room [len(threadPrefix) + 48 + len(threadSuffix)]byte
	t := append(room[:0], threadPrefix...)
	t = base64.StdEncoding.AppendEncode(t, guidText(b))
	return string(append(t, threadSuffix...))
}

func (s *scanner) number() string {
	if s.row.kind(s.at) != isInteger {
		return s.text()
	}
	return strconv.FormatInt(s.integer(), 10)
}

// short reads the 16 bytes that stand for a text, if that is what the column has.
func (s *scanner) short() ([]byte, bool) {
	if s.row.kind(s.at) != isBlob {
		return nil, false
	}
	b := s.row.bytes(s.at)
	if len(b) != 16 {
		return nil, false
	}
	s.at++
	return b, true
}

func guidBytes(s string) (b [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, false
	}
	for i, j := 0, 0; i < len(s); j++ {
		if s[i] == '-' {
			i++
		}
		if i+1 >= len(s) {
			return b, false
		}
		high, low := hexDigit(s[i]), hexDigit(s[i+1])
		if high < 0 || low < 0 {
			return b, false
		}
		b[j] = byte(high<<4 | low)
		i += 2
	}
	return b, true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

func guidText(b []byte) []byte {
	s := make([]byte, 36)
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return s
}

// Times are whole ticks since the year 1, which covers every year of four
// digits.
const (
	ticksPerSecond = int64(time.Second / meeting.Tick)
	yearOne        = -62135596800 // seconds from 1970 to the year 1
)

func toTicks(t time.Time) int64 {
	return (t.Unix()-yearOne)*ticksPerSecond + int64(t.Nanosecond())/int64(meeting.Tick)
}

func fromTicks(n int64) time.Time {
	seconds, rest := n/ticksPerSecond, n%ticksPerSecond
	return time.Unix(seconds+yearOne, rest*int64(meeting.Tick)).UTC()
}

func ticks(t time.Time) value { return integer(toTicks(t)) }

func (s *scanner) time() time.Time { return fromTicks(s.integer()) }
