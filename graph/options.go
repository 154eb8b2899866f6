package graph

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// options are the OData system query options of a request.
type options struct {
	pick               *selection // nil: everything
	filter             string     // as written; empty where there is none
	top                int        // -1: not given
	count              bool
	expand             []string // names of navigation properties
	orderBy, skipToken string   // as written
	ordered, paged     bool     // these were given
}

// An optionSet is which system query options an operation supports.
type optionSet struct {
	kind      string   // the type that $select and $expand are about
	names     []string // in lower case, with "$"
	expand    []string // what $expand may name
	whatAbout string   // begins the sentence that says what is supported
}

var (
	meetingOptions         = &optionSet{kind: typeMeeting, names: []string{"$select"}, whatAbout: "An answer of one meeting"}
	getOptions             = &optionSet{kind: typeMeeting, names: []string{"$select", "$expand"}, expand: navigations, whatAbout: "An answer of one meeting"}
	findOptions            = &optionSet{kind: typeMeeting, names: []string{"$filter", "$select", "$expand", "$top", "$count"}, expand: navigations, whatAbout: "A search for meetings"}
	findByVTCOptions       = &optionSet{kind: typeMeeting, names: []string{"$filter", "$select", "$top", "$count"}, whatAbout: "A search in the whole tenant"}
	listOptions            = &optionSet{kind: typeMeeting, names: []string{"$filter", "$select", "$orderby", "$top", "$count", "$skiptoken"}, whatAbout: "A list of meetings"}
	reportOptions          = &optionSet{kind: typeReport, names: []string{"$select", "$expand"}, expand: []string{"attendanceRecords"}, whatAbout: "An answer of one attendance report"}
	reportsOptions         = &optionSet{kind: typeReport, names: []string{"$select", "$expand", "$top", "$count"}, expand: []string{"attendanceRecords"}, whatAbout: "A list of attendance reports"}
	recordsOptions         = &optionSet{kind: typeRecord, names: []string{"$select", "$top", "$count"}, whatAbout: "A list of attendance records"}
	transcriptOptions      = &optionSet{kind: typeTranscript, names: []string{"$select", "$top", "$count"}, whatAbout: "A list of transcripts"}
	recordingOptions       = &optionSet{kind: typeRecording, names: []string{"$select", "$top", "$count"}, whatAbout: "A list of recordings"}
	transcriptDeltaOptions = &optionSet{kind: typeTranscript, names: []string{"$select", "$top", "$deltatoken"}, whatAbout: "A list of transcripts"}
	recordingDeltaOptions  = &optionSet{kind: typeRecording, names: []string{"$select", "$top", "$deltatoken"}, whatAbout: "A list of recordings"}
	contentOptions         = &optionSet{names: []string{"$format"}, whatAbout: "Content"}
	noOptions              = &optionSet{whatAbout: "This path"}
)

func (s *optionSet) supported() string {
	if len(s.names) == 0 {
		return s.whatAbout + " supports no query options."
	}
	return s.whatAbout + " supports " + strings.Join(s.names, ", ") + "."
}

// A selection is a parsed $select: the wanted members, each with what is wanted
// below it (nil: all of it).
type selection struct {
	members map[string]*selection
}

// member reports whether the member is wanted, and what of it. Annotations of
// the whole always are, and those of a member with it.
func (s *selection) member(name string) (below *selection, wanted bool) {
	member, _, annotation := strings.Cut(name, "@")
	if annotation && member == "" {
		return nil, true
	}
	below, wanted = s.members[member]
	return below, wanted
}

// systemOptions are all that OData 4.01 knows.
var systemOptions = []string{"$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "$search", "$format", "$skiptoken", "$deltatoken", "$apply", "$compute", "$index", "$schemaversion"}

// parseQuery takes a query string apart. A semicolon is a character like others
// (RFC 3986, section 3.4), and no separator.
func parseQuery(raw string) (url.Values, error) {
	values, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		return nil, newError(codeBadRequest, "The query string is not percent-encoded correctly: %s.", quotable(err.Error()))
	}
	return values, nil
}

// given reads the OData options of a query string under their names with "$",
// which a client may leave out. Options that the set does not have are refused,
// other parameters ignored.
func (s *optionSet) given(rawQuery string) (map[string]string, error) {
	if rawQuery == "" {
		return nil, nil
	}
	values, err := parseQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, name := range slices.Sorted(mapKeys(values)) {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "$") {
			lower = "$" + lower
		}
		_, twice := given[lower]
		switch {
		case !slices.Contains(systemOptions, lower):
			if strings.HasPrefix(name, "$") {
				return nil, invalid(quotable(name), "The query option '%s' does not exist. %s", quotable(name), s.supported())
			}
		case slices.Contains(s.names, lower) && (twice || len(values[name]) > 1):
			return nil, invalid(lower, "The query option '%s' occurs more than once. Put all of it into one.", lower)
		case slices.Contains(s.names, lower):
			given[lower] = values.Get(name)
		case lower == "$format" && isJSON(values.Get(name)):
		default:
			return nil, invalid(lower, "The query option '%s' is not supported here. %s", quotable(name), s.supported())
		}
	}
	return given, nil
}

// parseOptions reads the options that an operation supports.
func parseOptions(rawQuery string, v Version, set *optionSet) (options, error) {
	o := options{top: -1}
	given, err := set.given(rawQuery)
	if err != nil {
		return o, err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := o.read(name, given[name], v, set); err != nil {
			return o, err
		}
	}
	return o, nil
}

// isJSON reports whether a $format asks for what is answered anyway.
func isJSON(format string) bool {
	kind, _, _ := strings.Cut(format, ";")
	kind = strings.TrimSpace(kind)
	return strings.EqualFold(kind, "json") || strings.EqualFold(kind, "application/json")
}

func (o *options) read(name, value string, v Version, set *optionSet) (err error) {
	switch name {
	case "$select":
		o.pick, err = parseSelect(value, set.kind, v)
	case "$filter":
		o.filter = value
		if strings.TrimSpace(value) == "" {
			err = invalid(name, "$filter is empty.")
		}
	case "$top":
		o.top, err = strconv.Atoi(value)
		if err != nil || o.top < 0 {
			err = invalid(name, "$top must be a number that is not negative, not '%s'.", quotable(value))
		}
	case "$count":
		o.count = strings.EqualFold(value, "true")
		if !o.count && !strings.EqualFold(value, "false") {
			err = invalid(name, "$count must be true or false, not '%s'.", quotable(value))
		}
	case "$orderby":
		o.orderBy, o.ordered = value, true
	case "$skiptoken":
		o.skipToken, o.paged = value, true
	case "$deltatoken":
		if value != deltaToken {
			err = invalid(name, "$deltatoken is none that this server gave. Begin anew without it.")
		}
	case "$format":
		if !strings.EqualFold(value, "text/vtt") {
			err = invalid(name, "$format must be text/vtt.")
		}
	case "$expand":
		for item := range strings.SplitSeq(value, ",") {
			i := slices.IndexFunc(set.expand, func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(item)) })
			if i < 0 {
				return invalid(name, "'%s' cannot be expanded here. $expand supports %s.", quotable(item), strings.Join(set.expand, ", "))
			}
			if !slices.Contains(o.expand, set.expand[i]) {
				o.expand = append(o.expand, set.expand[i])
			}
		}
	}
	return err
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
func parseSelect(text, kind string, v Version) (*selection, error) {
	s := &selection{members: map[string]*selection{}}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "*" {
			return nil, nil
		}
		if err := s.add(item, kind, v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add puts one path into s. Names are compared without regard to case.
func (s *selection) add(path, kind string, v Version) error {
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
