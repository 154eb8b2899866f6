package lab

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/convene-meet/convene/graph"
)

// A clock does as it is told, and no other tenant's follows it.
func TestClocks(t *testing.T) {
	t.Parallel()
	own := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(s string) *time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	for _, tt := range []struct {
		name   string
		do     []ClockRequest
		want   string        // what it shows an hour of real time later
		tokens time.Duration // by how much the time of tokens differs from the server's then
	}{
		{"untouched", nil, "2030-01-01T13:00:00Z", 0},
		{"set", []ClockRequest{{Time: at("2040-05-06T07:08:09Z")}}, "2040-05-06T08:08:09Z", 0},
		{"set in another zone", []ClockRequest{{Time: at("2040-05-06T07:08:09+02:00")}}, "2040-05-06T06:08:09Z", 0},
		{"frozen now", []ClockRequest{{Frozen: new(true)}}, "2030-01-01T12:00:00Z", 0},
		{"frozen then", []ClockRequest{{Time: at("2020-01-01T00:00:00Z"), Frozen: new(true)}}, "2020-01-01T00:00:00Z", 0},
		{"advanced", []ClockRequest{{Advance: Duration(36 * time.Hour)}, {Advance: Duration(-time.Hour)}}, "2030-01-03T00:00:00Z", 0},
		{"advanced while frozen", []ClockRequest{{Frozen: new(true)}, {Advance: Duration(time.Minute)}}, "2030-01-01T12:01:00Z", 0},
		{"frozen and resumed", []ClockRequest{{Time: at("2020-01-01T00:00:00Z"), Frozen: new(true)}, {Frozen: new(false)}}, "2020-01-01T01:00:00Z", 0},
		{"tokens follow", []ClockRequest{{Advance: Duration(time.Hour), Tokens: new(true)}}, "2030-01-01T14:00:00Z", time.Hour},
		{"tokens stay", []ClockRequest{{Advance: Duration(time.Hour), Tokens: new(true)}, {Tokens: new(false)}}, "2030-01-01T14:00:00Z", 0},
		{"tokens follow what stands still", []ClockRequest{{Frozen: new(true), Tokens: new(true)}}, "2030-01-01T12:00:00Z", -time.Hour},
		{"nothing", []ClockRequest{{}}, "2030-01-01T13:00:00Z", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := own
			clocks := NewClocks(func() time.Time { return now })
			for _, q := range tt.do {
				if err := clocks.Set("A", q); err != nil {
					t.Fatal(err)
				}
			}
			now = own.Add(time.Hour)
			if got := clocks.Now("a").Format(time.RFC3339); got != tt.want {
				t.Errorf("it shows %s; want %s", got, tt.want)
			}
			if got := clocks.TokenTime("a").Sub(now); got != tt.tokens {
				t.Errorf("the time of tokens is %s ahead; want %s", got, tt.tokens)
			}
			if got := clocks.Now("b"); !got.Equal(now) {
				t.Errorf("another tenant's shows %s", got)
			}
			clocks.Reset("a")
			if got := clocks.Now("a"); !got.Equal(now) || clocks.set.Load() != nil {
				t.Errorf("after a reset it shows %s", got)
			}
		})
	}
	clocks := NewClocks(func() time.Time { return own })
	for _, q := range []ClockRequest{
		{Time: at("1969-12-31T23:59:59Z")}, {Time: at("9001-01-01T00:00:00Z")}, {Time: at("2400-01-01T00:00:00Z")}, {Advance: math.MinInt64},
		{Time: at("2030-01-01T00:00:00Z"), Advance: 1}, {Advance: math.MaxInt64},
	} {
		if err := clocks.Set("a", q); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
	if got := clocks.Now("a"); !got.Equal(own) {
		t.Errorf("what was refused left %s", got)
	}
}

// Which requests a fault happens to is the same in each run.
func TestWhichRequests(t *testing.T) {
	t.Parallel()
	one, two := &graph.Request{Tenant: "t", App: "one", Operation: "createOrGet"}, &graph.Request{Tenant: "t", App: "two", Operation: "get"}
	for _, tt := range []struct {
		name  string
		fault Fault
		want  string // x: it happens; of one and two in turn
	}{
		{"all", Fault{}, "xxxxxxxxxxxx"},
		{"by operation", Fault{Operation: "get"}, ".x.x.x.x.x.x"},
		{"by app", Fault{App: "ONE"}, "x.x.x.x.x.x."},
		{"the next three", Fault{Next: 3}, "xxx........."},
		{"every fourth", Fault{Share: 0.25}, "x...x...x..."},
		{"three of four", Fault{Share: 0.75}, "xxx.xxx.xxx."},
		{"a third", Fault{Share: 1. / 3}, "x..x..x..x.."},
		{"all, as a share", Fault{Share: 1}, "xxxxxxxxxxxx"},
		{"every second of one app, twice", Fault{App: "one", Share: 0.5, Next: 2}, "x...x......."},
		{"nobody", Fault{App: "three"}, "............"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &Faults{own: time.Now}
			tt.fault.Status = 503
			if _, err := f.Add("T", tt.fault); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for i := range len(tt.want) {
				mark := byte('.')
				if f.decide([]*graph.Request{one, two}[i%2]) != nil {
					mark = 'x'
				}
				got.WriteByte(mark)
			}
			if got.String() != tt.want {
				t.Errorf("it happens to %s; want %s", &got, tt.want)
			}
			if hits := f.List("t")[0].Hits; hits != strings.Count(tt.want, "x") {
				t.Errorf("%d hits counted", hits)
			}
			if f.decide(&graph.Request{Tenant: "other"}) != nil {
				t.Error("it happens in another tenant")
			}
		})
	}
}

// The first fault that answers or cuts ends it; before that, latencies add up.
func TestFaultsTogether(t *testing.T) {
	t.Parallel()
	f := &Faults{own: time.Now}
	for _, q := range []Fault{
		{Latency: Duration(time.Second)}, {Latency: Duration(2 * time.Second), Done: true, Operation: "get"},
		{Status: 503, RetryAfter: 4, Next: 1}, {Cut: true, Latency: Duration(time.Second)}, {Status: 500},
	} {
		if _, err := f.Add("t", q); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []graph.Fault{
		{Name: "3", Latency: 3 * time.Second, Status: 503, RetryAfter: 4, Done: true},
		{Name: "4", Latency: 4 * time.Second, Cut: true, Done: true},
	} {
		if got := f.decide(&graph.Request{Tenant: "t", Operation: "get"}); got == nil || *got != want {
			t.Errorf("request %d meets %+v; want %+v", i, got, want)
		}
	}
	if err := f.Clear("t", 4); err != nil {
		t.Fatal(err)
	}
	if err := f.Clear("t", 4); err == nil {
		t.Error("a fault is cleared twice")
	}
	if got := f.decide(&graph.Request{Tenant: "t"}); got == nil || got.Name != "5" {
		t.Errorf("then %+v; want the fifth", got)
	}
	f.Reset("t")
	if got := f.decide(&graph.Request{Tenant: "t"}); got != nil || f.any.Load() {
		t.Errorf("after a reset %+v", got)
	}
}

// What cannot be is refused, with what to change.
func TestFaultsThatCannotBe(t *testing.T) {
	t.Parallel()
	f := &Faults{own: time.Now}
	for _, tt := range []struct {
		fault Fault
		want  string
	}{
		{Fault{}, "status, cut or latency"},
		{Fault{Status: 200}, "400 to 599"}, {Fault{Status: 600}, "400 to 599"}, {Fault{Status: -1}, "400 to 599"},
		{Fault{Status: 503, Cut: true}, "not both"},
		{Fault{Status: 503, Share: 1.5}, "0 to 1"}, {Fault{Status: 503, Share: math.NaN()}, "0 to 1"},
		{Fault{Status: 503, Next: -1}, "negative"}, {Fault{Status: 503, RetryAfter: -1}, "negative"},
		{Fault{Status: 503, Operation: "nothing"}, "createOrGet"},
		{Fault{Status: 503, Code: "two words"}, "one word"}, {Fault{Status: 503, Code: `"`}, "one word"},
		{Fault{Cut: true, Code: "Code"}, "status"},
		{Fault{Latency: Duration(time.Hour)}, "40s"}, {Fault{Latency: -1}, "40s"},
		{Fault{Status: 503, Message: strings.Repeat("x", 5000)}, "4096"},
	} {
		if _, err := f.Add("t", tt.fault); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v; want one with %q", tt.fault, err, tt.want)
		}
	}
	for i := range maxFaults + 1 {
		_, err := f.Add("t", Fault{Status: 503})
		if (err == nil) != (i < maxFaults) {
			t.Fatalf("fault %d: error %v", i, err)
		}
	}
	for _, q := range []Throttle{{Requests: 1}, {Per: Duration(time.Second)}, {Requests: -1, Per: Duration(time.Second)}, {Requests: 1, Per: Duration(time.Millisecond)}} {
		if err := f.SetThrottle("t", q); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
}

// A window begins with its first request, and ends when its time is over.
func TestThrottleWindows(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_900_000_000, 0)
	f := &Faults{own: func() time.Time { return now }}
	if err := f.SetThrottle("t", Throttle{Requests: 2, Per: Duration(10 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		at   time.Duration
		wait int // 0: served
	}{{0, 0}, {time.Second, 0}, {1500 * time.Millisecond, 9}, {9999 * time.Millisecond, 1}, {10 * time.Second, 0}, {19 * time.Second, 0}, {19 * time.Second, 1}, {time.Minute, 0}} {
		now = time.Unix(1_900_000_000, 0).Add(tt.at)
		got := f.decide(&graph.Request{Tenant: "t", App: "a"})
		if tt.wait == 0 && got != nil || tt.wait > 0 && (got == nil || got.RetryAfter != tt.wait || got.Status != http.StatusTooManyRequests) {
			t.Errorf("request %d: %+v; want a wait of %d", i, got, tt.wait)
		}
	}
}

// The log is bounded, and says what it no longer has.
func TestRequestLog(t *testing.T) {
	t.Parallel()
	var l RequestLog
	read := func(q RequestQuery) Requests {
		page, err := l.Read(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	for i := range 3 {
		l.add(&graph.Request{Tenant: fmt.Sprint("t", i%2), URL: fmt.Sprint("/v1.0/", i, "?$select=a%2Cb;c&x=1&x=2")})
	}
	l.add(&graph.Request{URL: "/v1.0/nobody"})
	if page := read(RequestQuery{Tenant: "T0"}); len(page.Value) != 2 || page.Value[1].Seq != 3 || page.Next != 4 || page.Value[0].Query["$select"] != "a,b;c" || page.Value[0].Query["x"] != "1, 2" || page.Value[0].Path != "/v1.0/0" {
		t.Errorf("of one tenant: %+v", page)
	}
	if page := read(RequestQuery{All: true, After: 1, Limit: 2}); len(page.Value) != 2 || page.Value[0].Seq != 2 || page.Next != 3 {
		t.Errorf("a page: %+v", page)
	}
	if page := read(RequestQuery{All: true, After: 3}); len(page.Value) != 1 || page.Next != 4 {
		t.Errorf("the last page: %+v", page)
	}
	l.Forget("t0")
	if page := read(RequestQuery{Tenant: "t0"}); len(page.Value) != 0 || page.Next != 4 {
		t.Errorf("what was forgotten: %+v", page)
	}
	if page := read(RequestQuery{All: true}); len(page.Value) != 2 {
		t.Errorf("what others did: %+v", page)
	}
	for range maxKept {
		l.add(&graph.Request{Tenant: "t1"})
	}
	if page := read(RequestQuery{All: true, After: 1}); len(page.Value) != maxKept || !page.Lost || page.Value[0].Seq != 5 {
		t.Errorf("a full log: %d, lost %t", len(page.Value), page.Lost)
	}
	if page := read(RequestQuery{All: true, After: 4, Limit: 1}); page.Lost {
		t.Error("nothing was lost after the fourth")
	}
	for range maxKeptBytes/(entryBytes+graph.MaxWatched) + 10 {
		l.add(&graph.Request{Tenant: "t1", Body: make([]byte, graph.MaxWatched)})
	}
	if l.bytes > maxKeptBytes || l.n < 2000 {
		t.Errorf("%d bytes of %d entries are kept", l.bytes, l.n)
	}
}

// Who waits gets the first request that concerns it, and no other.
func TestWaitForRequests(t *testing.T) {
	t.Parallel()
	var l RequestLog
	l.add(&graph.Request{Tenant: "a"})
	got := make(chan Requests)
	go func() {
		page, _ := l.Read(t.Context(), RequestQuery{Tenant: "a", After: 1, Wait: time.Hour})
		got <- page
	}()
	l.add(&graph.Request{Tenant: "b"})
	l.add(&graph.Request{Tenant: "a"})
	if page := <-got; len(page.Value) != 1 || page.Value[0].Seq != 3 {
		t.Errorf("it got %+v", page)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if page, err := l.Read(ctx, RequestQuery{Tenant: "a", After: 3, Wait: time.Hour}); err != nil || len(page.Value) != 0 || page.Next != 3 {
		t.Errorf("who left got %+v, %v", page, err)
	}
}

// Durations are read with days, and refused with what they should be.
func TestDurations(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"61d": 61 * day, "1d12h": 36 * time.Hour, "-2d": -2 * day, "-1d1h": -25 * time.Hour, "90m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0s": 0, "-36h": -36 * time.Hour, "106751d": 106751 * day,
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s is %s, %v; want %s", text, time.Duration(d), err, want)
		}
	}
	for _, text := range []string{"", "d", "1", "1d-1h", "--1h", "1.5d", "106752d", "106751d24h", "soon", "1d1d", "9999999999999999d", "1 d"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "61d") {
			t.Errorf("%q is %s, %v", text, time.Duration(d), err)
		}
	}
}

// What is packed is unpacked as it was, but for what proves who sent it.
func TestPack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := func(name string) string { return rapid.String().Draw(r, name) }
		want := &graph.Request{
			Received: time.Unix(0, rapid.Int64().Draw(r, "received")), Took: time.Duration(rapid.Int64().Draw(r, "took")),
			RequestID: text("id"), ClientRequestID: text("client id"), Method: text("method"), URL: text("url"), Header: http.Header{},
			Body: rapid.SliceOf(rapid.Byte()).Draw(r, "body"), BodySize: rapid.Int().Draw(r, "size"), InBatch: rapid.Bool().Draw(r, "batch"),
			Version: graph.Version(text("version")), Operation: text("operation"), Tenant: text("tenant"), App: text("app"), User: text("user"),
			Status: rapid.Int().Draw(r, "status"), Code: text("code"), Message: text("message"),
		}
		if fault := text("fault"); fault != "" {
			want.Fault = &graph.Fault{Name: fault}
		}
		for _, name := range []string{"Accept", "X-Some"} {
			if values := rapid.SliceOfN(rapid.String(), 0, 3).Draw(r, name); len(values) > 0 {
				want.Header[name] = values
			}
		}
		sent := *want
		sent.Header = want.Header.Clone()
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			sent.Header[name] = []string{"secret"}
		}
		if diff := cmp.Diff(want, unpack(pack(&sent)), cmpopts.EquateEmpty()); diff != "" {
			r.Fatal(diff)
		}
	})
}
