package graph

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// decodeBatch reads the parts of a batch. Whatever is wrong with the batch as a
// whole is refused before any part is served.
func decodeBatch(body []byte) ([]*part, error) {
	var parts []*part
	given := false
	r := newReader(body)
	err := r.object("", func(name string) error {
		if name != "requests" {
			return r.skip()
		}
		given = true
		return r.array(name, func(i int) error {
			if i == maxParts {
				return newError(codeTooMany, "Number of batch request steps exceeds the maximum value of %d.", maxParts)
			}
			p, err := r.part(name + "/" + strconv.Itoa(i))
			parts = append(parts, p)
			return err
		})
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, invalid("requests", "%s requests is required: an array of at most %d requests.", badBatch, maxParts)
	}
	return parts, order(parts)
}

func (r *reader) part(what string) (*part, error) {
	p := &part{header: http.Header{}, done: make(chan struct{})}
	err := r.object(what, func(name string) (err error) {
		at := what + "/" + name
		switch name {
		case "id":
			p.id, err = r.partID(at)
		case "method":
			p.method, err = r.required(at)
			p.method = strings.ToUpper(p.method)
		case "url":
			p.url, err = r.required(at)
		case "headers":
			err = r.headers(at, p.header)
		case "body":
			if !r.null() {
				p.body, err = r.raw()
			}
		case "dependsOn":
			if !r.null() {
				err = r.array(at, func(i int) error {
					id, err := r.partID(at + "/" + strconv.Itoa(i))
					p.needIDs = append(p.needIDs, id)
					return err
				})
			}
		default:
			err = r.skip()
		}
		return err
	})
	if err != nil {
		return p, err
	}
	for _, member := range []struct{ name, value string }{{"id", p.id}, {"method", p.method}, {"url", p.url}} {
		if member.value == "" {
			return p, missingInPart(what + "/" + member.name)
		}
	}
	if p.body != nil && p.header["Content-Type"] == nil {
		return p, invalid(what+"/headers", "Write request id : %s does not contain Content-Type header or body. A part with a body needs the Content-Type of the body in its own headers.", quotable(p.id))
	}
	return p, nil
}

// partID reads the id of a part: a string, or a number as some clients write it,
// which stands for the string with its digits.
func (r *reader) partID(what string) (string, error) {
	if r.dec.PeekKind() != '0' {
		return r.required(what)
	}
	digits, err := r.raw()
	return string(digits), err
}

func missingInPart(what string) error {
	return invalid(what, "%s %s is required: a string that is not empty.", badBatch, what)
}

// required reads a string that is not empty.
func (r *reader) required(what string) (string, error) {
	s, err := r.text(what)
	if err != nil {
		return "", err
	}
	if s == nil || *s == "" {
		return "", missingInPart(what)
	}
	return *s, nil
}

func (r *reader) headers(what string, header http.Header) error {
	if r.null() {
		return nil
	}
	return r.object(what, func(name string) error {
		value, err := r.text(what + "/" + quotable(name))
		if err == nil && value != nil {
			header.Add(name, strings.TrimSpace(*value))
		}
		return err
	})
}

// order resolves dependsOn, and refuses what can be served in no order. Ids are
// compared without regard to case.
func order(parts []*part) error {
	byID := map[string]*part{}
	for i, p := range parts {
		id := strings.ToLower(p.id)
		if byID[id] != nil {
			return invalid("requests/"+strconv.Itoa(i)+"/id", "%s The id '%s' occurs twice. Ids are compared without regard to case.", badBatch, quotable(p.id))
		}
		byID[id] = p
	}
	for i, p := range parts {
		for _, id := range p.needIDs {
			needed, what := byID[strings.ToLower(id)], ""
			switch {
			case needed == nil:
				what = "which is no id of this batch"
			case needed == p:
				what = "which is itself"
			}
			if what != "" {
				return invalid("requests/"+strconv.Itoa(i)+"/dependsOn", "%s Request '%s' depends on '%s', %s.", badBatch, quotable(p.id), quotable(id), what)
			}
			p.needs = append(p.needs, needed)
		}
	}
	// Whatever can be served is taken away; what stays waits for itself.
	waiting := slices.Clone(parts)
	for {
		n := len(waiting)
		ready := func(p *part) bool {
			return !slices.ContainsFunc(p.needs, func(q *part) bool { return slices.Contains(waiting, q) })
		}
		waiting = slices.DeleteFunc(slices.Clone(waiting), ready)
		switch len(waiting) {
		case 0:
			return nil
		case n:
			return invalid("requests", "%s The requests %s depend on each other in a circle.", badBatch, circle(waiting))
		}
	}
}

// circle names one circle among parts that all wait for another of them.
func circle(waiting []*part) string {
	var way []*part
	for p := waiting[0]; ; {
		if i := slices.Index(way, p); i >= 0 {
			way = append(way[i:], p)
			break
		}
		way = append(way, p)
		p = p.needs[slices.IndexFunc(p.needs, func(q *part) bool { return slices.Contains(waiting, q) })]
	}
	ids := make([]string, len(way))
	for i, p := range way {
		ids[i] = "'" + quotable(p.id) + "'"
	}
	return strings.Join(ids, " → ")
}
