package graph

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A filter is a parsed $filter: comparisons that all have to hold. It is the
// part of the language (OData URL conventions, section 5.1.1) that some
// operation here supports, or has to understand for a good refusal: names and
// paths compared with literals, joined by "and", in parentheses. Everything
// else is refused by [parseFilter], with its position.
//
// Most operations want one equality: [filter.equality].
type filter []comparison

// A comparison is "path operator literal".
type comparison struct {
	path  string // names separated by "/", as written: compare them with is
	op    string // one of comparisonOperators, in lower case
	value literal
}

// is reports whether c compares the property with this path. Names are compared
// without regard to case.
func (c comparison) is(path string) bool { return strings.EqualFold(c.path, path) }

var comparisonOperators = []string{"eq", "ne", "gt", "ge", "lt", "le"}

// A literalKind is the type of a literal.
type literalKind string

// The types of literals, as messages call them.
const (
	literalString  literalKind = "string"
	literalNumber  literalKind = "number"
	literalBoolean literalKind = "boolean"
	literalNull    literalKind = "null"
	literalTime    literalKind = "time"
)

// A literal is a constant of a filter.
type literal struct {
	kind literalKind
	// text is what a string says; a number as it is written; true, false or
	// null; a time in UTC, to 100 ns.
	text string
}

// time is the instant of a literalTime.
func (l literal) time() time.Time {
	t, _ := parseTime(l.text) // it was read before
	return t
}

// String is l as a filter writes it.
func (l literal) String() string {
	if l.kind == literalString {
		return "'" + strings.ReplaceAll(l.text, "'", "''") + "'"
	}
	return l.text
}

func (c comparison) String() string { return c.path + " " + c.op + " " + c.value.String() }

// String is f without what means nothing: parseFilter(f.String()) is f again.
func (f filter) String() string {
	all := make([]string, len(f))
	for i, c := range f {
		all[i] = c.String()
	}
	return strings.Join(all, " and ")
}

// equality takes the value out of a filter that is "path eq 'value'" for one of
// the paths, which are paths of the type kind. Every other filter is refused
// with a message that lists what is supported.
func (f filter) equality(kind string, v Version, paths ...string) (path, value string, err error) {
	for _, c := range f {
		if err := findPath(kind, c.path, v); err != nil {
			return "", "", err
		}
	}
	supported := make([]string, len(paths))
	for i, path := range paths {
		supported[i] = path + " eq '…'"
	}
	refuse := func(what string) error {
		return invalid("$filter", "Invalid filter clause: %s. $filter supports here one comparison: %s.", what, strings.Join(supported, ", "))
	}
	if len(f) > 1 {
		return "", "", refuse(fmt.Sprintf("%d comparisons cannot be combined", len(f)))
	}
	c := f[0]
	for _, path := range paths {
		switch {
		case !c.is(path):
		case c.op != "eq":
			return "", "", refuse("the operator '" + c.op + "' is not supported for " + path)
		case c.value.kind != literalString:
			return "", "", refuse(fmt.Sprintf("%s is compared with a %s, not a string in single quotes", path, c.value.kind))
		default:
			return path, c.value.text, nil
		}
	}
	return "", "", refuse("'" + quotable(c.path) + "' cannot be filtered by")
}

// findPath refuses a path that does not exist, in Graph's words.
func findPath(kind, path string, v Version) error {
	for name := range strings.SplitSeq(path, "/") {
		p, ok := findProperty(kind, name, v)
		if !ok {
			if kind == "" {
				return invalid("$filter", "The query specified in the URI is not valid. The property '%s' has nothing below it.", quotable(path))
			}
			return invalid("$filter", "The query specified in the URI is not valid. Could not find a property named '%s' on type 'microsoft.graph.%s'.", quotable(name), kind)
		}
		kind = p.kind
	}
	return nil
}

// Limits of a filter: more than anybody writes, less than what makes work.
const (
	maxComparisons = 64
	maxParentheses = 64
)

// parseFilter reads a filter (OData ABNF, rule boolCommonExpr), after the query
// string was decoded. Operators, true, false and null are read in any case;
// blanks and tabs must stand around operators, may stand inside of parentheses
// and at both ends, and nowhere else. The error is an [Error] for $filter that
// says at which character, counted from 1, the text is no longer understood.
func parseFilter(text string) (filter, error) {
	if !utf8.ValidString(text) {
		return nil, invalid("$filter", "Invalid filter clause: it is not UTF-8.")
	}
	p := filterParser{text: text}
	p.blanks()
	for {
		for p.next('(') {
			if p.open++; p.open > maxParentheses {
				return nil, p.errorf(p.at-1, "more than %d parentheses are open", maxParentheses)
			}
			p.blanks()
		}
		c, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if p.all = append(p.all, c); len(p.all) > maxComparisons {
			return nil, p.errorf(p.at, "there are more than %d comparisons", maxComparisons)
		}
		if more, err := p.and(); err != nil || !more {
			return p.all, err
		}
	}
}

// A filterParser reads a filter from its first byte to its last.
type filterParser struct {
	text string
	at   int // the byte that comes next
	open int // parentheses
	all  filter
}

// and reads what follows a comparison: parentheses that close, then an end, or
// "and" and a blank.
func (p *filterParser) and() (more bool, err error) {
	blanks := p.blanks()
	for p.open > 0 && p.next(')') {
		p.open--
		blanks = p.blanks()
	}
	begin := p.at
	switch word := p.word(); {
	case word == "" && p.at < len(p.text):
		if p.text[p.at] == ')' {
			return false, p.errorf(begin, "there is a ')' without a '('")
		}
		return false, p.errorf(begin, "'and' or the end is expected")
	case word == "" && p.open > 0:
		return false, p.errorf(begin, "a ')' is missing")
	case word == "":
		return false, nil
	case !blanks:
		return false, p.errorf(begin, "a blank is missing before '%s'", quotable(word))
	case !strings.EqualFold(word, "and"):
		return false, p.errorf(begin, "'%s' is not supported", quotable(word))
	case !p.blanks():
		return false, p.errorf(p.at, "a blank and a comparison are expected after 'and'")
	}
	return true, nil
}

func (p *filterParser) comparison() (c comparison, err error) {
	begin := p.at
	if c.path, err = p.path(); err != nil {
		return c, err
	}
	blanks := p.blanks()
	at := p.at
	c.op = strings.ToLower(p.word())
	switch {
	case c.op == "":
		return c, p.errorf(at, "an operator is expected after '%s'", quotable(p.text[begin:at]))
	case !isComparison(c.op):
		return c, p.errorf(at, "'%s' is no operator that is supported", quotable(c.op))
	case !blanks:
		return c, p.errorf(at, "a blank is missing before '%s'", c.op)
	case !p.blanks():
		return c, p.errorf(p.at, "a blank and a value are expected after '%s'", c.op)
	}
	c.value, err = p.literal()
	return c, err
}

func isComparison(word string) bool {
	for _, op := range comparisonOperators {
		if word == op {
			return true
		}
	}
	return false
}

// path reads names separated by slashes.
func (p *filterParser) path() (string, error) {
	begin := p.at
	for {
		at := p.at
		name := p.word()
		switch {
		case name == "":
			return "", p.errorf(at, "the name of a property is expected")
		case len(name) > 128: // OData CSDL, section 17.2
			return "", p.errorf(at, "the name is longer than 128 characters")
		case p.next('('):
			return "", p.errorf(at, "'%s(…)' is not supported", quotable(name))
		case at == begin && strings.EqualFold(name, "not"):
			return "", p.errorf(at, "'not' is not supported")
		case !p.next('/'):
			return p.text[begin:p.at], nil
		}
	}
}

func (p *filterParser) literal() (literal, error) {
	begin := p.at
	if p.next('\'') {
		return p.quoted(begin)
	}
	for p.at < len(p.text) && !strings.ContainsRune(" \t(),'", rune(p.text[p.at])) {
		p.at++
	}
	word := p.text[begin:p.at]
	for _, known := range []literal{{literalBoolean, "true"}, {literalBoolean, "false"}, {literalNull, "null"}} {
		if strings.EqualFold(word, known.text) {
			return known, nil
		}
	}
	if isNumber(word) {
		return literal{literalNumber, word}, nil
	}
	if t, err := parseTime(word); err == nil {
		return literal{literalTime, string(appendTime(nil, t))}, nil
	}
	if word == "" {
		return literal{}, p.errorf(begin, "a value is expected")
	}
	return literal{}, p.errorf(begin, "'%s' is no value: write strings in single quotes, and times as 2031-02-06T09:00:00Z (a plus sign as %%2B)", quotable(word))
}

// quoted reads a string behind its first quote. A quote inside is doubled.
func (p *filterParser) quoted(begin int) (literal, error) {
	var value strings.Builder
	for {
		piece, _, closed := strings.Cut(p.text[p.at:], "'")
		if !closed {
			return literal{}, p.errorf(begin, "the string does not end: a quote inside of one is doubled")
		}
		value.WriteString(piece)
		p.at += len(piece) + 1
		if !p.next('\'') {
			break
		}
		value.WriteByte('\'')
	}
	if strings.Contains(value.String(), "\x00") {
		return literal{}, p.errorf(begin, "the string has the character U+0000")
	}
	return literal{literalString, value.String()}, nil
}

// isNumber reports whether s is written as OData's integers and decimals are.
func isNumber(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	if !digits() {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if s = rest; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '-' || s[0] == '+') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// word reads letters, digits and underscores that begin with no digit.
func (p *filterParser) word() string {
	begin := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (p.at == begin || c < '0' || c > '9') {
			break
		}
		p.at++
	}
	return p.text[begin:p.at]
}

func (p *filterParser) next(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// blanks reports whether there were any.
func (p *filterParser) blanks() bool {
	begin := p.at
	for p.next(' ') || p.next('\t') {
	}
	return p.at > begin
}

// errorf says what is wrong at a byte of the text, which is given as a number of
// characters.
func (p *filterParser) errorf(at int, format string, args ...any) error {
	return invalid("$filter", "Invalid filter clause: syntax error at position %d in '%s': %s. A filter compares a property (%s) with a string in single quotes, a number, true, false, null or a time, and joins comparisons by 'and'. Not every operation supports all of it.",
		utf8.RuneCountInString(p.text[:at])+1, quotable(p.text), fmt.Sprintf(format, args...), strings.Join(comparisonOperators, ", "))
}
