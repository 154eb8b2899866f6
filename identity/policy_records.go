package identity

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

func (p *Policies) apply(ctx context.Context, actor, action, tenant, target string, object, detail any, revision int64) error {
	r, err := Encode(object)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	now := p.Now()
	return p.Store.Apply(ctx, now, []Change{{Record: r, Expect: revision}}, AuditEntry{
		At: now, Actor: actor, Action: action, Tenant: tenant, Target: target, Detail: doc,
	})
}

func (p *Policies) policy(ctx context.Context, tenant, name string) (*Policy, int64, error) {
	r, err := p.Store.Record(ctx, KindPolicy, tenant, strings.ToLower(name), p.Now())
	if errors.Is(err, ErrNoRecord) {
		return &Policy{Tenant: tenant, Name: name}, 0, nil
	}
	v, err := decode[Policy](r, err)
	return v, r.Revision, err
}

func (p *Policies) grant(ctx context.Context, empty *Grant) (*Grant, int64, error) {
	r, err := p.Store.Record(ctx, KindGrant, empty.Tenant, empty.ID(), p.Now())
	if errors.Is(err, ErrNoRecord) {
		return empty, 0, nil
	}
	v, err := decode[Grant](r, err)
	return v, r.Revision, err
}

// keepFrom drops the versions that can never rule again: all but the newest of
// those in effect, and what is still to come.
func keepFrom[V any](versions []V, now time.Time, from func(V) time.Time) []V {
	for len(versions) > 1 && !from(versions[1]).After(now) {
		versions = versions[1:]
	}
	return slices.Clone(versions)
}

func validName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return refuse("The policy needs a name (identity).")
	case strings.ContainsRune(name, 0):
		return refuse("The policy's name has the character U+0000, which may stand in no text.")
	case len(name) > 256:
		return refuse("The policy's name has %d bytes; at most 256 are allowed.", len(name))
	case strings.EqualFold(name, "global"):
		return refuse("The name Global stands for what is granted to the whole tenant. Choose another one and grant it to the tenant.")
	}
	return nil
}
