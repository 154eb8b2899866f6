package meeting

import "errors"

// An InvalidError says which property of a request is wrong, in the words that
// the caller is told.
type InvalidError struct {
	Property string // path of the member on the wire, "participants/attendees"
	Message  string // a whole sentence that says what it should be
}

func (e *InvalidError) Error() string { return e.Message }

var (
	// ErrNotFound is a meeting that does not exist, has expired, or belongs to
	// another tenant: the three are never told apart.
	ErrNotFound = errors.New("the meeting does not exist")

	// ErrUnavailable is an engine that cannot answer now; whether a write took
	// place is unknown. Asking again is safe.
	ErrUnavailable = errors.New("the store is unavailable")

	// ErrTaken is a key or number that another meeting has.
	ErrTaken = errors.New("another meeting has the same key or number")

	// ErrFull is an engine without room to write; nothing was stored.
	ErrFull = errors.New("the store has no space left")
)
