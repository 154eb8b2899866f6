package world

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is how many bytes a world file may have.
const MaxSize = 4 << 20

// What a world file needs of YAML is little: it is four lists deep. The YAML
// parser's time and memory grow with the square of the depth, and aliases
// multiply, so that both are looked at before it gets to see the text.
const (
	maxDepth  = 32
	maxOpen   = 100_000   // brackets, also those in texts; more are not even made tokens
	maxValues = 1_000_000 // with every alias written out
)

// Parse reads a world file. name is what errors call the file. It reports every
// mistake of meaning at once, each as "file:line: key: what is wrong"; of the
// mistakes of form only the first one can be told.
func Parse(name string, data []byte) (*World, error) {
	file, r, err := readYAML(name, data)
	if err != nil {
		return nil, err
	}
	w := &World{name: name}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		body := file.Docs[0].Body
		if err := yaml.NewDecoder(strings.NewReader(""), yaml.DisallowUnknownField()).DecodeFromNode(body, w); err != nil {
			return nil, typeError(name, data, err)
		}
		r.mark(body, reflect.ValueOf(w))
	}
	c := checker{name: name, file: file}
	c.world(w)
	w.warnings = c.warnings
	return w, errors.Join(c.problems...)
}

// readYAML parses one document of YAML, within the limits above.
func readYAML(name string, data []byte) (*ast.File, *reader, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as some editors begin a file
	if line, wrong := unfit(data); wrong != "" {
		return nil, nil, fmt.Errorf("%s:%d: %s", name, line, wrong)
	}
	tokens := lexer.Tokenize(string(data))
	if line := tooDeep(tokens); line > 0 {
		return nil, nil, fmt.Errorf("%s:%d: lists and maps are nested more than %d deep", name, line, maxDepth)
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, nil, syntaxError(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, nil, fmt.Errorf("%s: the file has to be one YAML document, this one has %d", name, len(file.Docs))
	}
	r := &reader{anchors: map[string]ast.Node{}, values: map[string]int{}}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		if r.expand(file.Docs[0].Body); r.tooMany != nil {
			return nil, nil, fmt.Errorf("%s:%d: with its aliases written out the file has more than %d values", name, lineOf(r.tooMany), maxValues)
		}
	}
	return file, r, nil
}

// unfit says where a text is nothing for the YAML parser.
func unfit(data []byte) (line int, wrong string) {
	lineAt := func(i int) int { return 1 + bytes.Count(data[:i], []byte("\n")) }
	if len(data) > MaxSize {
		return lineAt(MaxSize), fmt.Sprintf("the file has more than %d bytes", MaxSize)
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return lineAt(i), "the character U+0000 may stand in no text"
	}
	if !utf8.Valid(data) {
		i := 0
		for {
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				return lineAt(i), "the file is not in UTF-8"
			}
			i += size
		}
	}
	open := 0
	for i, b := range data {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		}
		if open > maxOpen {
			return lineAt(i), fmt.Sprintf("lists and maps are nested more than %d deep", maxDepth)
		}
	}
	return 0, ""
}

// tooDeep returns the line where tokens are nested deeper than maxDepth, or 0.
// In a block the depth is the number of columns at which something opens.
func tooDeep(tokens token.Tokens) (line int) {
	flow, last := 0, 0
	var columns []int
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		}
		opens := t.Position.Line != last || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		if last = t.Position.Line; opens && flow == 0 {
			for len(columns) > 0 && columns[len(columns)-1] >= t.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, t.Position.Column)
		}
		if flow+len(columns) > maxDepth {
			return t.Position.Line
		}
	}
	return 0
}

func syntaxError(name string, err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		return fmt.Errorf("%s:%d: this is no YAML: %s", name, e.GetToken().Position.Line, e.GetMessage())
	}
	return fmt.Errorf("%s: this is no YAML: %w", name, err)
}

// typeError says where YAML is not what a world file has there.
func typeError(name string, data []byte, err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		line, message := e.GetToken().Position.Line, e.GetMessage()
		if key := keyAt(data, line); key != "" && !strings.Contains(message, key) {
			message = key + ": the value has the wrong type" + wanted(message)
		}
		return fmt.Errorf("%s:%d: %s", name, line, message)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// wanted says what a value should be whose type is wrong, from the YAML library's
// message, which names Go's types.
func wanted(message string) string {
	switch {
	case strings.Contains(message, "sequence is expected"):
		return ": it should be a list"
	case strings.Contains(message, "mapping is expected"):
		return ": it should be a map of members"
	}
	_, kind, ok := strings.Cut(message, " of type ")
	if !ok {
		_, kind, ok = strings.Cut(message, " into Go value of type ")
	}
	switch kind = strings.TrimPrefix(kind, "*"); {
	case !ok:
		return ""
	case kind == "bool":
		return ": it should be true or false"
	case kind == "string":
		return ": it should be a text"
	case kind == "int":
		return ": it should be a whole number"
	case strings.HasPrefix(kind, "[]"):
		return ": it should be a list"
	}
	return ": it should be a map of members"
}

// keyAt is the last key on a line of the file.
func keyAt(data []byte, line int) string {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	keys := keyForm.FindAllStringSubmatch(lines[line-1], -1)
	if len(keys) == 0 {
		return ""
	}
	return keys[len(keys)-1][1]
}

var keyForm = regexp.MustCompile(`(\w+):(?:\s|$)`)
