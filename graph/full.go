package graph

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// navigations are what can be reached from a meeting, each under its own path.
var navigations = []string{"attendanceReports", "recordings", "transcripts"}

// typed copies the JSON object src, of a type of the schema, to b, with the
// annotations of types that odata.metadata=full has (OData JSON Format, section
// 4.6.3): of each complex value, and of each primitive one that JSON does not
// tell apart from a text or a number.
func typed(b, src []byte, kind string) ([]byte, error) {
	var out bytes.Buffer
	t := typist{jsontext.NewDecoder(bytes.NewReader(src)), jsontext.NewEncoder(&out)}
	if err := t.object(kind, true); err != nil {
		return b, err
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...), nil
}

type typist struct {
	in  *jsontext.Decoder
	out *jsontext.Encoder
}

// write writes names and values, which are texts.
func (t typist) write(texts ...string) error {
	for _, text := range texts {
		if err := t.out.WriteToken(jsontext.String(text)); err != nil {
			return err
		}
	}
	return nil
}

func (t typist) copyToken() error {
	token, err := t.in.ReadToken()
	if err != nil {
		return err
	}
	return t.out.WriteToken(token)
}

func (t typist) copyValue() error {
	v, err := t.in.ReadValue()
	if err != nil {
		return err
	}
	return t.out.WriteValue(v)
}

// object copies an object of a type. The outermost one says its own type.
func (t typist) object(kind string, outermost bool) error {
	if err := t.copyToken(); err != nil {
		return err
	}
	if !outermost {
		if err := t.write("@odata.type", "#"+namespace+"."+kind); err != nil {
			return err
		}
	}
	for t.in.PeekKind() != '}' {
		token, err := t.in.ReadToken()
		if err != nil {
			return err
		}
		if err := t.member(kind, token.String()); err != nil {
			return err
		}
	}
	return t.copyToken()
}

func (t typist) member(kind, name string) error {
	i := slices.IndexFunc(schema[kind], func(p property) bool { return p.name == name })
	if i < 0 { // an annotation
		if err := t.write(name); err != nil {
			return err
		}
		return t.copyValue()
	}
	p := &schema[kind][i]
	if annotation := p.annotation(); annotation != "" && t.in.PeekKind() != 'n' {
		if err := t.write(name+"@odata.type", annotation); err != nil {
			return err
		}
	}
	if err := t.write(name); err != nil {
		return err
	}
	switch {
	case p.kind == "" || t.in.PeekKind() == 'n':
		return t.copyValue()
	case t.in.PeekKind() == '{':
		return t.object(cmp.Or(p.derived, p.kind), false)
	}
	if err := t.copyToken(); err != nil {
		return err
	}
	for t.in.PeekKind() != ']' {
		if err := t.object(p.kind, false); err != nil {
			return err
		}
	}
	return t.copyToken()
}

// annotation is the type of a member's value, where the value does not tell it.
func (p *property) annotation() string {
	name, primitive := strings.CutPrefix(p.typ, "Edm.")
	switch {
	case p.typ == "":
		name = "String"
	case !primitive:
		name = namespace + "." + p.typ
	}
	if p.kind != "" {
		name = namespace + "." + p.kind
	}
	switch {
	case p.many:
		return "#Collection(" + name + ")"
	case p.kind != "": // the value says it
	case p.typ == edmTime || p.typ != "" && !primitive:
		return "#" + name
	}
	return ""
}
