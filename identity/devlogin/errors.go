package devlogin

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/convene-meet/convene/identity"
)

// An Error is a refusal, as the client is told of it. Its cause is logged and
// never sent.
type Error struct {
	Code    string // of RFC 6749 section 5.2, RFC 8628 or Entra ID
	Number  int    // of Entra ID: "AADSTS" and these digits
	Message string // what to change, in sentences
	status  int
	cause   error
}

func (e *Error) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.Number, e.Message) }

func (e *Error) Unwrap() error { return e.cause }

// statusOf gives the status of the codes that are not answered with 400.
var statusOf = map[string]int{
	"invalid_client":          http.StatusUnauthorized,
	"server_error":            http.StatusInternalServerError,
	"temporarily_unavailable": http.StatusServiceUnavailable,
}

func refuse(code string, number int, format string, args ...any) *Error {
	status, ok := statusOf[code]
	if !ok {
		status = http.StatusBadRequest
	}
	return &Error{Code: code, Number: number, Message: fmt.Sprintf(format, args...), status: status}
}

// as sets another status than the code's own.
func (e *Error) as(status int) *Error {
	e.status = status
	return e
}

// missing is a parameter that the request must have.
func missing(name string) error {
	return refuse("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
}

// errOutage is a store or a directory that could not be asked.
var errOutage = errors.New("the store cannot be reached")

func outage(err error) error { return fmt.Errorf("%w: %w", errOutage, err) }

// absent reports that a record or an object of the directory is not there, as
// against a store that could not be asked.
func absent(err error) bool {
	return errors.Is(err, identity.ErrNoRecord) || errors.Is(err, identity.ErrUnknown)
}

// explain decides what a client may learn of err. What it does not know is
// internal.
func (p *Provider) explain(c *call, err error) *Error {
	log := p.Log.With("path", c.r.URL.Path, "trace", c.trace, "correlation", c.correlation)
	e, known := errors.AsType[*Error](err)
	switch {
	case known:
		level := slog.LevelInfo
		if e.Number == pendingNumber || e.Code == "login_required" {
			level = slog.LevelDebug // nothing went wrong
		}
		if e.cause != nil {
			log = log.With("cause", e.cause)
		}
		log.Log(c.ctx(), level, "sign-in refused", "code", e.Code, "reason", e.Error())
	case c.ctx().Err() != nil || errors.Is(err, errOutage):
		log.Warn("sign-in failed", "error", err)
		e = refuse("temporarily_unavailable", 90033, "The directory cannot be reached at the moment. Try again in a few seconds.")
	default:
		log.Error("sign-in failed", "error", err)
		e = refuse("server_error", 50000, "The sign-in service failed. The server's log says why, under the trace id.")
	}
	if e.status == http.StatusServiceUnavailable || e.status == http.StatusTooManyRequests {
		c.w.Header().Set("Retry-After", strconv.Itoa(retryAfter(e.status)))
	}
	return e
}

// retryAfter is how many seconds a client should wait.
func retryAfter(status int) int {
	if status == http.StatusTooManyRequests {
		return int(guessWindow.Seconds())
	}
	return 2
}

// errorAnswer is the JSON of an error, with the members that Entra ID has.
type errorAnswer struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

const timestampLayout = "2006-01-02 15:04:05Z"

// describe is the error as one text, ending with what Entra ID ends it with.
func (c *call) describe(e *Error) string {
	return fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
		e.Error(), c.trace, c.correlation, c.now.UTC().Format(timestampLayout))
}

// failJSON answers a program.
func (p *Provider) failJSON(c *call, e *Error) {
	if _, _, basic := c.r.BasicAuth(); basic && e.status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Basic realm="Convene", charset="UTF-8"`) // RFC 6749 section 5.2
	}
	c.writeJSON(e.status, errorAnswer{
		Error:         e.Code,
		Description:   c.describe(e),
		Codes:         []int{e.Number},
		Timestamp:     c.now.UTC().Format(timestampLayout),
		TraceID:       c.trace,
		CorrelationID: c.correlation,
	})
}

func (c *call) writeJSON(status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own structs of strings and numbers
	}
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(raw) // the client is gone, and nobody is left to tell
}

// shorten keeps what is quoted from a request within a sentence.
func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
