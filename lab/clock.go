package lab

import (
	"maps"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Clocks say what time it is for each tenant: the server's own time, until a
// test sets another. They last as long as the server. Nothing is looked up while
// no tenant has a time of its own.
type Clocks struct {
	own func() time.Time

	set     atomic.Pointer[map[string]clock] // by tenant, in lower case; nil: none
	writing sync.Mutex
}

// NewClocks returns clocks that all show the server's own time.
func NewClocks(own func() time.Time) *Clocks { return &Clocks{own: own} }

// A clock is a time of a tenant's own.
type clock struct {
	frozen time.Time     // the time that it stays; zero: it goes on
	ahead  time.Duration // of the server's time, while it goes on
	tokens bool          // the life of access tokens follows it
}

func (c *clock) now(own time.Time) time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return own.Add(c.ahead)
}

func (c *Clocks) of(tenant string) (clock, bool) {
	set := c.set.Load()
	if set == nil {
		return clock{}, false
	}
	found, ok := (*set)[strings.ToLower(tenant)]
	return found, ok
}

// Now is what time it is for a tenant.
func (c *Clocks) Now(tenant string) time.Time {
	own := c.own()
	if t, ok := c.of(tenant); ok {
		return t.now(own)
	}
	return own
}

// TokenTime is the time by which access tokens of a tenant begin and end: the
// server's own, unless the tenant's clock was set for tokens, too.
func (c *Clocks) TokenTime(tenant string) time.Time {
	own := c.own()
	if t, ok := c.of(tenant); ok && t.tokens {
		return t.now(own)
	}
	return own
}

// A ClockRequest changes the clock of a tenant. What is left out stays as it is.
type ClockRequest struct {
	Tenant string `json:"tenant,omitempty"`
	// Time is what the clock shows from now on.
	Time *time.Time `json:"time,omitempty"`
	// Advance moves the clock, back where it is negative: "90m", "36h".
	Advance Duration `json:"advance,omitempty"`
	// Frozen says whether the clock stands still.
	Frozen *bool `json:"frozen,omitempty"`
	// Tokens says whether the life of access tokens follows the clock.
	Tokens *bool `json:"tokens,omitempty"`
}

// A ClockState is what the clock of a tenant shows.
type ClockState struct {
	Tenant string    `json:"tenant"` // domain
	Time   time.Time `json:"time"`
	Frozen bool      `json:"frozen"`
	Ahead  Duration  `json:"ahead"` // of the server's own time
	Tokens bool      `json:"tokens"`
}

// The years in which every date of a meeting can be written with four digits.
var (
	firstTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Set changes the clock of a tenant, at once for every request that comes after.
func (c *Clocks) Set(tenant string, q ClockRequest) error {
	if q.Time != nil && q.Advance != 0 {
		return refuse("Give time or advance, not both.")
	}
	return c.change(tenant, func(t clock, own time.Time) (clock, error) {
		now, frozen := t.now(own), !t.frozen.IsZero()
		if q.Time != nil {
			now = q.Time.UTC()
		}
		moved := now.Add(time.Duration(q.Advance))
		if moved.Before(firstTime) || moved.After(lastTime) || moved.Sub(own).Abs() == 1<<63-1 {
			return t, refuse("The clock can show times from %s to the year %d that are less than 292 years from now.", firstTime.Format(time.DateOnly), lastTime.Year()-1)
		}
		if q.Frozen != nil {
			frozen = *q.Frozen
		}
		if q.Tokens != nil {
			t.tokens = *q.Tokens
		}
		t.frozen, t.ahead = time.Time{}, moved.Sub(own)
		if frozen {
			t.frozen = moved
		}
		return t, nil
	})
}

// Reset gives a tenant the server's own time again.
func (c *Clocks) Reset(tenant string) {
	_ = c.change(tenant, func(clock, time.Time) (clock, error) { return clock{}, nil }) // never fails
}

func (c *Clocks) change(tenant string, change func(t clock, own time.Time) (clock, error)) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	tenant = strings.ToLower(tenant)
	before, _ := c.of(tenant)
	after, err := change(before, c.own())
	if err != nil {
		return err
	}
	all := map[string]clock{}
	if set := c.set.Load(); set != nil {
		all = maps.Clone(*set)
	}
	if all[tenant] = after; after == (clock{}) {
		delete(all, tenant)
	}
	if len(all) == 0 {
		c.set.Store(nil)
		return nil
	}
	c.set.Store(&all)
	return nil
}

// State is what the clock of a tenant shows. domain is what the answer calls it.
func (c *Clocks) State(tenant, domain string) ClockState {
	t, _ := c.of(tenant)
	own := c.own()
	now := t.now(own)
	return ClockState{Tenant: domain, Time: now, Frozen: !t.frozen.IsZero(), Ahead: Duration(now.Sub(own)), Tokens: t.tokens}
}

// A Duration is written as in Go, or with days of 24 hours first: "1h30m",
// "-36h", "250ms", "61d", "1d12h".
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	const day = 24 * time.Hour
	sign, rest := time.Duration(1), string(text)
	if unsigned, ok := strings.CutPrefix(rest, "-"); ok {
		sign, rest = -1, unsigned
	}
	var days int
	if number, after, ok := strings.Cut(rest, "d"); ok {
		var err error
		if days, err = strconv.Atoi(number); err != nil || days < 0 || days > int(math.MaxInt64/day) {
			return noDuration(text)
		}
		if rest = after; rest == "" {
			rest = "0s"
		}
	}
	parsed, err := time.ParseDuration(rest)
	sum := time.Duration(days)*day + parsed
	if err != nil || parsed < 0 || sum < 0 {
		return noDuration(text)
	}
	*d = Duration(sign * sum)
	return nil
}

func noDuration(text []byte) error {
	return refuse("%q is no duration. Write one such as 61d, 36h, 90m or 250ms.", text)
}
