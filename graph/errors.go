package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// A Code is error.code of the envelope.
type Code string

const (
	codeBadRequest           Code = "BadRequest"
	codeInvalidToken         Code = "InvalidAuthenticationToken"
	codeAuthentication       Code = "AuthenticationError"
	codeForbidden            Code = "Forbidden"
	codeNotFound             Code = "NotFound"
	codeUnknown              Code = "UnknownError"
	codeMethodNotAllowed     Code = "MethodNotAllowed"
	codeNotAcceptable        Code = "NotAcceptable"
	codeTooLarge             Code = "RequestEntityTooLarge"
	codeUnsupportedMediaType Code = "UnsupportedMediaType"
	codeMisdirected          Code = "MisdirectedRequest"
	codeInternal             Code = "InternalServerError"
	codeUnavailable          Code = "ServiceUnavailable"
	codeFull                 Code = "InsufficientStorage"
	codeTooMany              Code = "MaximumValueExceeded"
	codeFailedDependency     Code = "FailedDependency"
	codeRequestDenied        Code = "Authorization_RequestDenied"
	codeResourceNotFound     Code = "Request_ResourceNotFound"
	codeTooManyRequests      Code = "TooManyRequests"
)

// statusOf is the only map from code to HTTP status, so the two cannot disagree
// (Graph's list of error codes; RFC 9110, section 15; RFC 4918, section 11.5).
var statusOf = map[Code]int{
	codeBadRequest:           http.StatusBadRequest,
	codeInvalidToken:         http.StatusUnauthorized,
	codeAuthentication:       http.StatusUnauthorized,
	codeForbidden:            http.StatusForbidden,
	codeNotFound:             http.StatusNotFound,
	codeUnknown:              http.StatusNotFound,
	codeMethodNotAllowed:     http.StatusMethodNotAllowed,
	codeNotAcceptable:        http.StatusNotAcceptable,
	codeTooLarge:             http.StatusRequestEntityTooLarge,
	codeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	codeMisdirected:          http.StatusMisdirectedRequest,
	codeInternal:             http.StatusInternalServerError,
	codeUnavailable:          http.StatusServiceUnavailable,
	codeFull:                 http.StatusInsufficientStorage,
	codeTooMany:              http.StatusBadRequest,
	codeFailedDependency:     http.StatusFailedDependency,
	codeRequestDenied:        http.StatusForbidden,
	codeResourceNotFound:     http.StatusNotFound,
	codeTooManyRequests:      http.StatusTooManyRequests,
}

// An Error is what the client is told. Its cause is logged and never sent.
type Error struct {
	Code    Code
	Message string
	Target  string   // the member that is wrong, as a path; empty where there is none
	Allow   []string // of MethodNotAllowed
	cause   error

	// Of an error that a fault asks for.
	asked      bool
	status     int // instead of that of the code
	retryAfter int // seconds
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status that belongs to the code.
func (e *Error) Status() int {
	if e.status != 0 {
		return e.status
	}
	return statusOf[e.Code]
}

func newError(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalid is a 400 about one member of the request.
func invalid(target, format string, args ...any) *Error {
	return &Error{Code: codeBadRequest, Target: target, Message: fmt.Sprintf(format, args...)}
}

// explain decides what a client may learn of err. What it does not know is
// internal.
func explain(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	} else if e, ok := errors.AsType[*meeting.InvalidError](err); ok {
		return &Error{Code: codeBadRequest, Message: e.Message, Target: e.Property, cause: err}
	} else if e, ok := errors.AsType[*identity.TokenError](err); ok {
		code := codeInvalidToken
		if e.Personal {
			code = codeAuthentication
		}
		return &Error{Code: code, Message: e.Message, cause: err}
	} else if e, ok := errors.AsType[*identity.DeniedError](err); ok {
		return &Error{Code: codeOfDenial(e.Reason), Message: e.Message, cause: err}
	}
	switch {
	case errors.Is(err, meeting.ErrNotFound):
		return &Error{Code: codeNotFound, Message: "3004: Specified meeting is not found", cause: err}
	case errors.Is(err, meeting.ErrFull):
		return &Error{Code: codeFull, Message: "The server has no space left to store a meeting. Nothing was stored; try again later.", cause: err}
	case errors.Is(err, meeting.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Code: codeUnavailable, Message: "The service is temporarily unavailable, and the outcome is not known. Send the request again: createOrGet is safe to repeat.", cause: err}
	}
	return &Error{Code: codeInternal, Message: "An internal error occurred. The server's log has it under this request-id.", cause: err}
}

func codeOfDenial(r identity.Reason) Code {
	switch r {
	case identity.MeWithoutUser:
		return codeBadRequest
	case identity.UnknownUser:
		return codeUnknown
	}
	return codeForbidden
}
