package graph

import (
	"errors"
	"time"
)

var errTime = errors.New("not an Edm.DateTimeOffset")

// parseTime reads an Edm.DateTimeOffset (OData ABNF, rule dateTimeOffsetValue):
// "2031-02-06T09:00:00.1234567Z" or with an offset such as "+05:30". Seconds
// may be left out; of a fraction the first seven digits count, since the
// precision is 100 ns. A time without an offset names no instant.
func parseTime(s string) (time.Time, error) {
	p := timeParser{rest: s}
	year := p.digits(4)
	p.literal('-')
	month := p.digits(2)
	p.literal('-')
	day := p.digits(2)
	p.literal('T')
	hour := p.digits(2)
	p.literal(':')
	minute := p.digits(2)
	second, ticks := 0, 0
	if p.next(':') {
		second = p.digits(2)
		if p.next('.') {
			ticks = p.fraction()
		}
	}
	offset := p.offset()
	switch {
	case p.bad || p.rest != "",
		year < 1, month < 1, month > 12, day < 1, day > daysIn(year, time.Month(month)),
		hour > 23, minute > 59, second > 59:
		return time.Time{}, errTime
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, ticks*100, time.UTC).Add(-offset)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errTime
	}
	return t, nil
}

type timeParser struct {
	rest string
	bad  bool
}

func (p *timeParser) next(c byte) bool {
	if p.rest == "" || p.rest[0]|lower(c) != c|lower(c) {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// lower is the bit that makes a letter lower case.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return 0x20
	}
	return 0
}

func (p *timeParser) literal(c byte) {
	if !p.next(c) {
		p.bad = true
	}
}

func (p *timeParser) digits(n int) int {
	if len(p.rest) < n {
		p.bad = true
		return 0
	}
	v := 0
	for i := range n {
		c := p.rest[i]
		if c < '0' || c > '9' {
			p.bad = true
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.rest = p.rest[n:]
	return v
}

// fraction reads 1 to 12 digits and returns the first seven.
func (p *timeParser) fraction() int {
	n, ticks := 0, 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		if n < 7 {
			ticks = ticks*10 + int(p.rest[n]-'0')
		}
		n++
	}
	if n == 0 || n > 12 {
		p.bad = true
	}
	p.rest = p.rest[n:]
	for ; n < 7; n++ {
		ticks *= 10
	}
	return ticks
}

// offset reads Z or an offset of at most 14 hours.
func (p *timeParser) offset() time.Duration {
	if p.next('Z') {
		return 0
	}
	sign := time.Duration(1)
	if p.next('-') {
		sign = -1
	} else {
		p.literal('+')
	}
	hours := p.digits(2)
	p.literal(':')
	minutes := p.digits(2)
	if minutes > 59 || hours*60+minutes > 14*60 {
		p.bad = true
	}
	return sign * time.Duration(hours*60+minutes) * time.Minute
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// appendTime appends t as Graph writes times: UTC with Z, up to seven digits of
// fraction, without zeros at its end. Years are 1 to 9999.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, '0'+byte(year/1000%10), '0'+byte(year/100%10), '0'+byte(year/10%10), '0'+byte(year%10), '-')
	b = append(two(b, int(month)), '-')
	b = append(two(b, day), 'T')
	b = append(two(b, hour), ':')
	b = append(two(b, minute), ':')
	b = two(b, second)
	if ticks := t.Nanosecond() / 100; ticks > 0 {
		b = append(b, '.')
		for unit := 1_000_000; ticks > 0; unit /= 10 {
			b = append(b, '0'+byte(ticks/unit))
			ticks %= unit
		}
	}
	return append(b, 'Z')
}

func two(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }
