package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// SnapshotVersion is that of the form of a [Snapshot].
const SnapshotVersion = 1

// MaxSnapshot is how many bytes a snapshot may have.
const MaxSnapshot = 256 << 20

// A Snapshot is a tenant as it stood once: its directory and its meetings, with
// their ids, links and numbers. It holds hashes of passwords and secrets.
type Snapshot struct {
	Version  int               `json:"version"`
	Tenant   string            `json:"tenant"` // id
	Domain   string            `json:"domain"`
	Records  []Record          `json:"records"`
	Meetings []meeting.Meeting `json:"meetings"`
}

// A Record is an object of the directory in a snapshot.
type Record struct {
	Kind   identity.Kind   `json:"kind"`
	Object json.RawMessage `json:"object"`
}

// A RestoreAnswer says what was restored.
type RestoreAnswer struct {
	Tenant   string `json:"tenant"` // domain
	Meetings int    `json:"meetings"`
}

// Save takes a snapshot of a tenant.
func (k *Kit) Save(ctx context.Context, t *identity.Tenant) (*Snapshot, error) {
	s := &Snapshot{Version: SnapshotVersion, Tenant: t.ID, Domain: t.Domain}
	records, err := k.records(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		s.Records = append(s.Records, Record{r.Kind, r.Doc})
	}
	s.Meetings, err = k.Meetings.List(ctx, meeting.Query{Tenant: t.ID}, always)
	return s, err
}

// Restore brings a tenant back to a snapshot of it, and makes it where it is not
// there. Meetings are replaced in one step, and the directory before them in
// another.
func (k *Kit) Restore(ctx context.Context, s *Snapshot) error {
	if s.Version != SnapshotVersion {
		return refuse("This is no snapshot of version %d, the only one that is read here.", SnapshotVersion)
	}
	var want []identity.Record
	for i, r := range s.Records {
		record, err := s.record(r)
		if err != nil {
			return refuse("records[%d]: %v.", i, err)
		}
		want = append(want, record)
	}
	if len(want) == 0 || want[0].Kind != identity.KindTenant || !strings.EqualFold(want[0].Name, s.Domain) {
		return refuse("records[0]: the snapshot has to begin with its tenant, whose domain it names.")
	}
	for i := range s.Meetings {
		m := &s.Meetings[i]
		if m.Tenant != s.Tenant {
			return refuse("meetings[%d]: the meeting is that of another tenant.", i)
		} else if err := m.Check(); err != nil {
			return refuse("meetings[%d]: %v", i, err)
		}
	}
	err := k.restoreDirectory(ctx, s.Tenant, s.Domain, "tenant.restore", want)
	if errors.Is(err, identity.ErrConflict) {
		return refuse("A name or id of the snapshot belongs to another tenant here, or others change the same thing at the same time.")
	} else if err != nil {
		return err
	}
	err = k.Meetings.Replace(ctx, s.Tenant, s.Meetings)
	if errors.Is(err, meeting.ErrTaken) {
		return refuse("A number of a meeting in the snapshot belongs to a meeting of another tenant here, or occurs twice. The meetings are as they were.")
	}
	return err
}

// record checks that an object belongs to the snapshot's tenant.
func (s *Snapshot) record(r Record) (identity.Record, error) {
	var object any
	switch r.Kind {
	case identity.KindWorld:
		return identity.Record{Kind: r.Kind, Tenant: s.Tenant, ID: freshID, Doc: r.Object}, nil
	case identity.KindTenant:
		object = &identity.Tenant{}
	case identity.KindUser:
		object = &identity.User{}
	case identity.KindGroup:
		object = &identity.Group{}
	case identity.KindApp:
		object = &identity.App{}
	case identity.KindPolicy:
		object = &identity.Policy{}
	case identity.KindGrant:
		object = &identity.Grant{}
	default:
		return identity.Record{}, fmt.Errorf("there is no kind %q in a snapshot", r.Kind)
	}
	if err := json.Unmarshal(r.Object, object); err != nil {
		return identity.Record{}, err
	}
	if bytes.Contains(r.Object, []byte(`\u0000`)) {
		return identity.Record{}, errors.New("the character U+0000 may stand in no text")
	}
	record, err := identity.Encode(object)
	if err != nil {
		return identity.Record{}, err
	}
	tenant := record.Tenant
	switch o := object.(type) {
	case *identity.Tenant:
		tenant = o.ID
	case *identity.App:
		tenant = o.Tenant
	}
	if tenant != s.Tenant || record.ID == "" {
		return record, errors.New("the object is not complete, or that of another tenant")
	}
	return record, nil
}
