package graph

import (
	"net/url"
	"slices"
	"strings"
)

// options are the OData system query options of a request.
type options struct {
	pick *selection // nil: everything
}

// A selection is a parsed $select: the wanted members, each with what is wanted
// below it (nil: all of it).
type selection struct {
	members map[string]*selection
}

// member reports whether the member is wanted, and what of it. Annotations
// always are.
func (s *selection) member(name string) (below *selection, wanted bool) {
	if strings.HasPrefix(name, "@") {
		return nil, true
	}
	below, wanted = s.members[name]
	return below, wanted
}

// systemOptions are all that OData 4.01 knows; $select is the one that an
// operation with a single entity as its answer supports.
var systemOptions = []string{"$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "$search", "$format", "$skiptoken", "$deltatoken", "$apply", "$compute", "$index", "$schemaversion"}

// parseOptions reads the options of an operation whose answer is one meeting.
// A name counts with and without "$"; other query parameters are ignored.
func parseOptions(rawQuery string, v Version) (options, error) {
	var o options
	if rawQuery == "" {
		return o, nil
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return o, newError(codeBadRequest, "The query string is not percent-encoded correctly: %s.", quotable(err.Error()))
	}
	seen := false
	for _, name := range slices.Sorted(mapKeys(values)) {
		lower := strings.ToLower(name)
		known := slices.Contains(systemOptions, lower)
		switch {
		case lower == "$select" || lower == "select":
			if seen || len(values[name]) > 1 {
				return o, invalid("$select", "The query option '$select' occurs more than once. Put all names into one, separated by commas.")
			}
			seen = true
			if o.pick, err = parseSelect(values.Get(name), v); err != nil {
				return o, err
			}
		case lower == "$format" && strings.EqualFold(values.Get(name), "json"):
		case known:
			return o, invalid(name, "The query option '%s' is not supported here. An answer of one meeting supports $select.", quotable(name))
		case strings.HasPrefix(name, "$"):
			return o, invalid(quotable(name), "The query option '%s' does not exist. An answer of one meeting supports $select.", quotable(name))
		}
	}
	return o, nil
}

func mapKeys(values url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range values {
			if !yield(name) {
				return
			}
		}
	}
}

// parseSelect reads "id,subject,lobbyBypassSettings/scope".
func parseSelect(text string, v Version) (*selection, error) {
	s := &selection{members: map[string]*selection{}}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "*" {
			return nil, nil
		}
		if err := s.add(item, v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add puts one path into s. Names are compared without regard to case.
func (s *selection) add(path string, v Version) error {
	kind := typeMeeting
	for at, rest := s, path; ; {
		raw, below, deeper := strings.Cut(rest, "/")
		p, ok := findProperty(kind, raw, v)
		if !ok {
			return invalid("$select", "Could not find a property named '%s' on type 'microsoft.graph.%s'. $select takes names of properties, separated by commas.", quotable(raw), kind)
		}
		next, known := at.members[p.name]
		if !deeper {
			at.members[p.name] = nil
			return nil
		}
		if known && next == nil {
			return nil // all of it is wanted already
		}
		if p.kind == "" {
			return invalid("$select", "The property '%s' has nothing below it: '%s' cannot be selected.", p.name, quotable(path))
		}
		if next == nil {
			next = &selection{members: map[string]*selection{}}
			at.members[p.name] = next
		}
		at, rest, kind = next, below, p.kind
	}
}

// String is s as $select would say it, in the order of the alphabet.
func (s *selection) String() string {
	if s == nil {
		return "*"
	}
	return strings.Join(s.paths(""), ",")
}

func (s *selection) paths(prefix string) []string {
	var all []string
	for name, below := range s.members {
		if below == nil {
			all = append(all, prefix+name)
		} else {
			all = append(all, below.paths(prefix+name+"/")...)
		}
	}
	slices.Sort(all)
	return all
}
