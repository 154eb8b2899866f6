package sqlite

import (
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"fmt"
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
func compactGUID(s string) driver.Value {
	if b, ok := guidBytes(s); ok {
		return b
	}
	return s
}

// compactNumber turns decimal digits without a leading zero into an integer.
func compactNumber(s string) driver.Value {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && strconv.FormatInt(n, 10) == s {
		return n
	}
	return s
}

const (
	threadPrefix = "19:meeting_"
	threadSuffix = "@thread.v2"
)

// compactThread turns the thread of an ordinary meeting into the 16 bytes of
// the GUID that it holds in base64.
func compactThread(s string) driver.Value {
	inner, ok := strings.CutPrefix(s, threadPrefix)
	inner, ok2 := strings.CutSuffix(inner, threadSuffix)
	if !ok || !ok2 || len(inner) != base64.StdEncoding.EncodedLen(36) {
		return s
	}
	var room [36]byte
	n, err := base64.StdEncoding.Strict().Decode(room[:], []byte(inner))
	if err != nil {
		return s
	}
	if b, ok := guidBytes(string(room[:n])); ok {
		return b
	}
	return s
}

// optional keeps a key that is empty out of its index.
func optional(s string, compact func(string) driver.Value) driver.Value {
	if s == "" {
		return nil
	}
	return compact(s)
}

func plain(s string) driver.Value { return s }

func expandGUID(v driver.Value) (string, error) {
	if b, ok := v.([]byte); ok && len(b) == 16 {
		return guidText(b), nil
	}
	return expandText(v)
}

func expandNumber(v driver.Value) (string, error) {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10), nil
	}
	return expandText(v)
}

func expandThread(v driver.Value) (string, error) {
	if b, ok := v.([]byte); ok && len(b) == 16 {
		return threadPrefix + base64.StdEncoding.EncodeToString([]byte(guidText(b))) + threadSuffix, nil
	}
	return expandText(v)
}

func expandText(v driver.Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", nil
	}
	return "", fmt.Errorf("%w: a column holds a %T where a text belongs", ErrDamaged, v)
}

func guidBytes(s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, false
	}
	b := make([]byte, 0, 16)
	for i := 0; i < len(s); {
		if s[i] == '-' && (i == 8 || i == 13 || i == 18 || i == 23) {
			i++
			continue
		}
		high, low := hexDigit(s[i]), hexDigit(s[i+1])
		if high < 0 || low < 0 {
			return nil, false
		}
		b = append(b, byte(high<<4|low))
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

func guidText(b []byte) string {
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
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
