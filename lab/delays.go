package lab

import (
	"strings"
	"sync"
	"time"
)

// Delays are how long changes of a tenant's application access policies take to
// be in effect, where that is not what the server was started with. They last as
// long as the server.
type Delays struct{ set sync.Map } // from tenant to time.Duration

// MaxDelay is the longest delay.
const MaxDelay = 7 * 24 * time.Hour

// Of is the delay of a tenant, or else usual.
func (d *Delays) Of(tenant string, usual time.Duration) time.Duration {
	if delay, ok := d.set.Load(strings.ToLower(tenant)); ok {
		return delay.(time.Duration)
	}
	return usual
}

// Set gives a tenant a delay. It counts for changes that are made from now on.
func (d *Delays) Set(tenant string, delay time.Duration) error {
	if delay < 0 || delay > MaxDelay {
		return refuse("The delay must be from 0s to %s.", MaxDelay)
	}
	d.set.Store(strings.ToLower(tenant), delay)
	return nil
}

// Reset gives a tenant the server's own delay again.
func (d *Delays) Reset(tenant string) { d.set.Delete(strings.ToLower(tenant)) }

// A PolicyDelay is how long changes of a tenant's policies take.
type PolicyDelay struct {
	Tenant string   `json:"tenant,omitempty"`
	Delay  Duration `json:"delay"`
}
