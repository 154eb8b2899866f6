package graph

import (
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// ParseDraft reads a meeting of o's as the body of createOrGet, with every
// setting that create takes. Here nothing is ignored: a member that there is not
// is an [*Error], whose Target is its name.
func ParseDraft(body []byte, o *identity.Organizer) (meeting.Draft, error) {
	d, members, err := decodeCreateOrGet(body, Beta, true)
	if ignored := members.ignored; err == nil && len(ignored) > 0 {
		err = invalid(ignored[0], "A meeting has no member '%s' that could be given.", quotable(ignored[0]))
	}
	own(&d, o)
	return d, err
}
