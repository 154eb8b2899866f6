package lab

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-meet/convene/graph"
)

// A Fault is what shall happen to requests of a tenant. What is left out
// restricts nothing, and does nothing.
type Fault struct {
	Tenant string `json:"tenant,omitempty"` // domain, name or id

	// Which requests.
	Operation string `json:"operation,omitempty"` // one of graph's [graph.OperationNames]
	App       string `json:"app,omitempty"`       // id, or name
	// Share of the calls that are meant, from 0 to 1, spread evenly: with 0.25 the
	// first call and every fourth after it. 0 is every call.
	Share float64 `json:"share,omitempty"`
	Next  int     `json:"next,omitempty"` // how many times at most; 0: always

	// What happens to them.
	Latency    Duration `json:"latency,omitempty"`
	Cut        bool     `json:"cut,omitempty"` // the connection ends without an answer
	Status     int      `json:"status,omitempty"`
	Code       string   `json:"code,omitempty"`
	Message    string   `json:"message,omitempty"`
	RetryAfter int      `json:"retryAfterSeconds,omitempty"`
	// Done has the operation take place, so that only its answer is lost or late.
	Done bool `json:"done,omitempty"`
}

// A FaultState is a fault that was set.
type FaultState struct {
	ID int `json:"id"`
	Fault
	Hits int `json:"hits"` // how many requests it happened to
}

// A Throttle lets each application of a tenant send so many requests in a time;
// more are answered with 429 and Retry-After until it is over. The parts of a
// batch count alone, and the batch itself does not.
type Throttle struct {
	Tenant   string   `json:"tenant,omitempty"`
	Requests int      `json:"requests"`
	Per      Duration `json:"per"`
}

// Operations are the operations that a fault may be about.
func Operations() []string { return graph.OperationNames() }

// Limits of faults.
const (
	MaxLatency = 40 * time.Second // the server gives up a request after 60, and a batch after 50
	maxFaults  = 100              // of one tenant
)

// Faults are what happens to requests, by tenant. They last as long as the
// server. While there are none, a request costs one look at any.
type Faults struct {
	own func() time.Time
	any atomic.Bool

	mu      sync.Mutex
	last    int // id
	tenants map[string]*tenantFaults
}

type tenantFaults struct {
	faults   []*fault
	throttle Throttle // without a time: none
	windows  map[string]*window
}

type fault struct {
	FaultState
	meant int // requests that it was about
}

// A window is how many requests an application has sent in a time.
type window struct {
	begun time.Time
	n     int
}

func (f *Faults) change(tenant string, change func(t *tenantFaults) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	tenant = strings.ToLower(tenant)
	t := f.tenants[tenant]
	if t == nil {
		t = &tenantFaults{}
	}
	if err := change(t); err != nil {
		return err
	}
	if len(t.faults) == 0 && t.throttle.Per == 0 {
		delete(f.tenants, tenant)
	} else if f.tenants == nil {
		f.tenants = map[string]*tenantFaults{tenant: t}
	} else {
		f.tenants[tenant] = t
	}
	f.any.Store(len(f.tenants) > 0)
	return nil
}

// Add has a fault happen to requests of a tenant. The app, where one is named,
// has to be an id.
func (f *Faults) Add(tenant string, q Fault) (FaultState, error) {
	if err := q.check(); err != nil {
		return FaultState{}, err
	}
	var made FaultState
	err := f.change(tenant, func(t *tenantFaults) error {
		if len(t.faults) >= maxFaults {
			t.faults = slices.DeleteFunc(t.faults, (*fault).spent)
		}
		if len(t.faults) >= maxFaults {
			return refuse("The tenant has %d faults already. Clear some first.", maxFaults)
		}
		f.last++
		made = FaultState{ID: f.last, Fault: q}
		t.faults = append(t.faults, &fault{FaultState: made})
		return nil
	})
	return made, err
}

func (q *Fault) check() error {
	switch {
	case q.Operation != "" && !slices.Contains(graph.OperationNames(), q.Operation):
		return refuse("There is no operation %q. Choose one of %s.", q.Operation, strings.Join(graph.OperationNames(), ", "))
	case !(q.Share >= 0 && q.Share <= 1): // a NaN is neither
		return refuse("share must be from 0 to 1: 0.25 is every fourth call.")
	case q.Next < 0:
		return refuse("next must not be negative.")
	case q.Latency < 0 || q.Latency > Duration(MaxLatency):
		return refuse("latency must be from 0s to %s.", MaxLatency)
	case q.Status != 0 && (q.Status < 400 || q.Status > 599):
		return refuse("status must be that of an error, from 400 to 599.")
	case q.Cut && q.Status != 0:
		return refuse("Give cut or status, not both: what is cut has no answer.")
	case q.Status == 0 && (q.Code != "" || q.Message != "" || q.RetryAfter != 0):
		return refuse("code, message and retryAfterSeconds are of an error: give its status, too.")
	case strings.ContainsFunc(q.Code, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) || len(q.Code) > 128:
		return refuse("code must be one word of ASCII, such as TooManyRequests.")
	case len(q.Message) > 4096:
		return refuse("message must have at most 4096 bytes.")
	case q.RetryAfter < 0:
		return refuse("retryAfterSeconds must not be negative.")
	case !q.Cut && q.Status == 0 && q.Latency == 0:
		return refuse("Say what shall happen: status, cut or latency.")
	}
	return nil
}

// spent reports whether a fault happens no more.
func (f *fault) spent() bool { return f.Next > 0 && f.Hits >= f.Next }

// List returns the faults of a tenant in the order in which they were added.
func (f *Faults) List(tenant string) []FaultState {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []FaultState{}
	if t := f.tenants[strings.ToLower(tenant)]; t != nil {
		for _, each := range t.faults {
			list = append(list, each.FaultState)
		}
	}
	return list
}

// Clear removes one fault of a tenant, or all where id is 0.
func (f *Faults) Clear(tenant string, id int) error {
	return f.change(tenant, func(t *tenantFaults) error {
		n := len(t.faults)
		t.faults = slices.DeleteFunc(t.faults, func(each *fault) bool { return id == 0 || each.ID == id })
		if id != 0 && len(t.faults) == n {
			return refuse("The tenant has no fault %d.", id)
		}
		return nil
	})
}

// SetThrottle limits what each application of a tenant may send; without
// requests and time it takes the limit away.
func (f *Faults) SetThrottle(tenant string, q Throttle) error {
	if q.Requests == 0 && q.Per == 0 {
		q = Throttle{}
	} else if q.Requests < 1 || q.Per < Duration(time.Second) || q.Per > Duration(24*time.Hour) {
		return refuse("A throttle needs requests, 1 or more, and per, from 1s to 24h.")
	}
	return f.change(tenant, func(t *tenantFaults) error {
		t.throttle, t.windows = q, nil
		return nil
	})
}

// Throttle is the limit of a tenant; without a time there is none.
func (f *Faults) Throttle(tenant string) Throttle {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.tenants[strings.ToLower(tenant)]; t != nil {
		return t.throttle
	}
	return Throttle{}
}

// Reset takes away every fault and limit of a tenant.
func (f *Faults) Reset(tenant string) {
	_ = f.change(tenant, func(t *tenantFaults) error { // never fails
		*t = tenantFaults{}
		return nil
	})
}

// decide says what happens to a request; nil: nothing.
func (f *Faults) decide(r *graph.Request) *graph.Fault {
	if !f.any.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tenants[r.Tenant]
	if t == nil {
		return nil
	}
	if wait := t.wait(r, f.own()); wait > 0 {
		return &graph.Fault{Name: "throttle", Status: http.StatusTooManyRequests, RetryAfter: wait}
	}
	var happens *graph.Fault
	for _, each := range t.faults {
		if !each.meets(r) {
			continue
		}
		if happens == nil {
			happens = &graph.Fault{}
		}
		happens.Name = strconv.Itoa(each.ID)
		happens.Latency = min(happens.Latency+time.Duration(each.Latency), MaxLatency)
		happens.Done = happens.Done || each.Done
		if each.Cut || each.Status != 0 {
			happens.Cut, happens.Status, happens.Code, happens.Message, happens.RetryAfter = each.Cut, each.Status, each.Code, each.Message, each.RetryAfter
			break
		}
	}
	return happens
}

// meets reports whether a fault happens to a request, and counts it.
func (f *fault) meets(r *graph.Request) bool {
	if f.spent() || f.Operation != "" && f.Operation != r.Operation || f.App != "" && !strings.EqualFold(f.App, r.App) {
		return false
	}
	f.meant++
	if f.Share > 0 && math.Ceil(float64(f.meant)*f.Share) <= math.Ceil(float64(f.meant-1)*f.Share) {
		return false
	}
	f.Hits++
	return true
}

// wait counts a request, and returns for how many seconds its application has to
// wait before another; 0: this one is served.
func (t *tenantFaults) wait(r *graph.Request, now time.Time) int {
	per := time.Duration(t.throttle.Per)
	if per == 0 || r.Operation == "batch" {
		return 0
	}
	w := t.windows[r.App]
	if w == nil || now.Sub(w.begun) >= per || now.Before(w.begun) {
		if t.windows == nil {
			t.windows = map[string]*window{}
		}
		w = &window{begun: now}
		t.windows[r.App] = w
	}
	if w.n < t.throttle.Requests {
		w.n++
		return 0
	}
	return int((w.begun.Add(per).Sub(now) + time.Second - 1) / time.Second)
}
