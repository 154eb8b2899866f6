package graph

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	// The coming encoding/json/v2. Only this file and full.go know it.
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deeply arrays and objects of a request may be nested. The
// deepest member that means something is five levels down.
const maxDepth = 32

// malformed is Graph's text for a body that is no JSON.
const malformed = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."

// A reader reads one JSON value of a request from its first byte to its last.
// It tells absent, null and a value apart, refuses duplicate members, and names
// the member in every error.
type reader struct {
	dec     *jsontext.Decoder
	ignored []string // members that nobody takes, where they are told
}

func newReader(body []byte) *reader {
	return &reader{dec: jsontext.NewDecoder(bytes.NewBuffer(body))}
}

// object reads an object: member is called with each name and reads its value.
// Names that begin with or contain "@" are OData annotations and are skipped.
func (r *reader) object(what string, member func(name string) error) error {
	if err := r.expect('{', what, "an object"); err != nil {
		return err
	}
	if _, err := r.token(); err != nil {
		return err
	}
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		if t.Kind() == '}' {
			return nil
		}
		name := t.String()
		if strings.Contains(name, "@") {
			err = r.skip()
		} else {
			err = member(name)
		}
		if err != nil {
			return err
		}
	}
}

// array reads an array: element is called for each of its values.
func (r *reader) array(what string, element func(i int) error) error {
	if err := r.expect('[', what, "an array"); err != nil {
		return err
	}
	if _, err := r.token(); err != nil {
		return err
	}
	for i := 0; r.dec.PeekKind() != ']'; i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	_, err := r.token()
	return err
}

// null consumes a null and reports whether there was one.
func (r *reader) null() bool {
	if r.dec.PeekKind() != 'n' {
		return false
	}
	_, err := r.dec.ReadToken()
	return err == nil
}

// text reads a string or null.
func (r *reader) text(what string) (*string, error) {
	if r.null() {
		return nil, nil
	}
	if err := r.expect('"', what, "a string or null"); err != nil {
		return nil, err
	}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	s := t.String()
	if strings.Contains(s, "\x00") {
		return nil, invalid(what, "%s must not contain the character U+0000.", what)
	}
	return &s, nil
}

// boolean reads a boolean or null.
func (r *reader) boolean(what string) (*bool, error) {
	if r.null() {
		return nil, nil
	}
	switch kind := r.dec.PeekKind(); kind {
	case 't', 'f':
		_, err := r.token()
		v := kind == 't'
		return &v, err
	}
	return nil, r.expect('t', what, "true, false or null")
}

// flagInto reads a boolean; a null changes nothing.
func (r *reader) flagInto(into *bool, what string) error {
	v, err := r.boolean(what)
	if v != nil {
		*into = *v
	}
	return err
}

// shortText reads a string of at most so many bytes; null is the empty one.
func (r *reader) shortText(what string, most int) (string, error) {
	s, err := r.text(what)
	if s == nil || err != nil {
		return "", err
	}
	if len(*s) > most {
		return "", invalid(what, "%s is longer than %d bytes.", what, most)
	}
	return *s, nil
}

// skip passes over one value, and checks it all the same.
func (r *reader) skip() error {
	level := r.dec.StackDepth()
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		// A name is followed by its value at the same depth, so only the end of
		// a value at the first depth ends it.
		if k := t.Kind(); r.dec.StackDepth() == level && k != '{' && k != '[' {
			return nil
		}
	}
}

// raw reads one JSON value as it stands.
func (r *reader) raw() ([]byte, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, readable(err)
	}
	return bytes.Clone(v), nil
}

// end expects that nothing follows the value.
func (r *reader) end() error {
	switch _, err := r.dec.ReadToken(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return readable(err)
	}
	return newError(codeBadRequest, "%s Something follows the JSON value at byte %d.", malformed, r.dec.InputOffset())
}

func (r *reader) expect(kind jsontext.Kind, what, wanted string) error {
	got := r.dec.PeekKind()
	if got == kind {
		return nil
	}
	if got == 0 {
		_, err := r.token() // says what is wrong
		if err != nil {
			return err
		}
	}
	names := map[jsontext.Kind]string{'n': "null", 't': "a boolean", 'f': "a boolean", '"': "a string", '0': "a number", '{': "an object", '[': "an array"}
	name, ok := names[got]
	if !ok {
		return newError(codeBadRequest, "%s", malformed)
	}
	if what == "" {
		return newError(codeBadRequest, "%s The body must be %s, not %s.", malformed, wanted, name)
	}
	return invalid(what, "%s must be %s, not %s.", what, wanted, name)
}

func (r *reader) token() (jsontext.Token, error) {
	t, err := r.dec.ReadToken()
	if err != nil {
		return t, readable(err)
	}
	if r.dec.StackDepth() > maxDepth {
		return t, newError(codeBadRequest, "%s It is nested more than %d levels deep.", malformed, maxDepth)
	}
	return t, nil
}

// readable says what is wrong with the body, and where.
func readable(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Code: codeBadRequest, Message: malformed + " The body is empty.", cause: err}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{Code: codeBadRequest, Message: malformed + " It ends too early.", cause: err}
	}
	at := ""
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = fmt.Sprintf(" (at byte %d)", s.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			name := s.JSONPointer.LastToken()
			return &Error{Code: codeBadRequest, Target: quotable(name), cause: err,
				Message: fmt.Sprintf("%s The member '%s' occurs twice%s.", malformed, quotable(name), at)}
		}
	}
	e := &Error{Code: codeBadRequest, Message: malformed + " It is not valid JSON" + at + ".", cause: err}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok && strings.Contains(s.Error(), "surrogate") {
		e.Message += " A text has half of a surrogate pair: write \\ud83d\\ude00, or the character itself."
		e.Target = quotable(strings.TrimPrefix(string(s.JSONPointer), "/"))
	}
	return e
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, s)
	if err != nil { // broken UTF-8, which nothing that is stored has
		b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return b
}

// unquoted is what a JSON string says.
func unquoted(s []byte) ([]byte, error) { return jsontext.AppendUnquote(nil, s) }

// validJSON reports whether b is one JSON value.
func validJSON(b []byte) bool { return jsontext.Value(b).IsValid() }

// pick copies the JSON object src to b, but only the members that want names:
// the paths of $select. Annotations are kept.
func pick(b, src []byte, want *selection) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(src))
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	if err := copyMembers(enc, dec, want); err != nil {
		return b, err
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...), nil
}

func copyMembers(enc *jsontext.Encoder, dec *jsontext.Decoder, want *selection) error {
	copyToken := func() (jsontext.Kind, error) {
		t, err := dec.ReadToken()
		if err != nil {
			return 0, err
		}
		return t.Kind(), enc.WriteToken(t)
	}
	if _, err := copyToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		t, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		below, wanted := want.member(name)
		if !wanted {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := copyValue(enc, dec, below); err != nil {
			return err
		}
	}
	_, err := copyToken()
	return err
}

func copyValue(enc *jsontext.Encoder, dec *jsontext.Decoder, want *selection) error {
	switch {
	case want == nil || dec.PeekKind() != '{' && dec.PeekKind() != '[':
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		return enc.WriteValue(v)
	case dec.PeekKind() == '{':
		return copyMembers(enc, dec, want)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		if err := copyValue(enc, dec, want); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndArray)
}
