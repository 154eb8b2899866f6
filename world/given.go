package world

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// given is the members of an object that its file names, and their lines. The
// object's own line is under "". It is nil for an object made in Go.
type given map[string]int

// takes reports whether a member is to be taken over: it is named, or has a
// value.
func (g given) takes(member string, hasValue bool) bool {
	_, named := g[member]
	return named || hasValue
}

func (t *Tenant) mark(g given)            { t.given = g }
func (a *AudioConferencing) mark(g given) { a.given = g }
func (u *User) mark(g given)              { u.given = g }
func (g *Group) mark(members given)       { g.given = members }
func (a *App) mark(g given)               { a.given = g }
func (p *Policy) mark(g given)            { p.given = g }
func (t *Granted) mark(g given)           { t.given = g }

func (t *Tenant) named() given            { return t.given }
func (a *AudioConferencing) named() given { return a.given }
func (u *User) named() given              { return u.given }
func (g *Group) named() given             { return g.given }
func (a *App) named() given               { return a.given }
func (p *Policy) named() given            { return p.given }
func (t *Granted) named() given           { return t.given }

// A marker is what has members that a file may leave out.
type marker interface {
	mark(given)
	named() given
}

// A reader reads a parsed file besides the YAML library: which members there
// are, with aliases and merge keys followed.
type reader struct {
	anchors map[string]ast.Node
	values  map[string]int // of an anchor, with its aliases written out
	tooMany ast.Node       // where there are too many of them
}

// expand counts the values of a node with every alias written out, and learns
// the anchors on the way.
func (r *reader) expand(node ast.Node) (n int) {
	switch v := node.(type) {
	case *ast.AnchorNode:
		n = r.expand(v.Value)
		name := v.Name.GetToken().Value
		r.anchors[name], r.values[name] = v.Value, n
	case *ast.AliasNode:
		n = 1 + r.values[v.Value.GetToken().Value]
	case *ast.TagNode:
		n = r.expand(v.Value)
	case *ast.MappingValueNode:
		n = 1 + r.expand(v.Value)
	case *ast.MappingNode:
		for _, m := range v.Values {
			n += r.expand(m)
		}
	case *ast.SequenceNode:
		for _, m := range v.Values {
			n += 1 + r.expand(m)
		}
	default:
		n = 1
	}
	if n > maxValues {
		if r.tooMany == nil {
			r.tooMany = node
		}
		n = maxValues + 1 // so that nothing overflows
	}
	return n
}

// mark notes in v, which was decoded from node, which members were named.
func (r *reader) mark(node ast.Node, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	node = r.follow(node)
	switch v.Kind() {
	case reflect.Struct:
		members := r.members(node)
		if m, ok := v.Addr().Interface().(marker); ok && members != nil {
			g := given{"": lineOf(node)}
			for name, value := range members {
				g[name] = lineOf(value)
			}
			m.mark(g)
		}
		for i := range v.NumField() {
			if value, ok := members[v.Type().Field(i).Tag.Get("yaml")]; ok {
				r.mark(value.Value, v.Field(i))
			}
		}
	case reflect.Slice:
		if list, ok := node.(*ast.SequenceNode); ok {
			for i := range min(v.Len(), len(list.Values)) {
				r.mark(list.Values[i], v.Index(i))
			}
		}
	}
}

// follow goes through anchors, aliases and tags to the value.
func (r *reader) follow(node ast.Node) ast.Node {
	for range maxDepth {
		switch v := node.(type) {
		case *ast.AnchorNode:
			node = v.Value
		case *ast.AliasNode:
			node = r.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			node = v.Value
		default:
			return node
		}
	}
	return nil
}

// members are those of a map, with what it merges in; nil when it is none.
func (r *reader) members(node ast.Node) map[string]*ast.MappingValueNode {
	var list []*ast.MappingValueNode
	switch v := r.follow(node).(type) {
	case *ast.MappingNode:
		list = v.Values
	case *ast.MappingValueNode:
		list = append(list, v)
	default:
		return nil
	}
	all := map[string]*ast.MappingValueNode{}
	for _, m := range list {
		if _, merge := m.Key.(*ast.MergeKeyNode); !merge {
			all[m.Key.GetToken().Value] = m
			continue
		}
		from := []ast.Node{m.Value}
		if several, ok := r.follow(m.Value).(*ast.SequenceNode); ok {
			from = several.Values
		}
		for _, f := range from {
			for name, value := range r.members(f) {
				if _, own := all[name]; !own {
					all[name] = value
				}
			}
		}
	}
	return all
}

func lineOf(node ast.Node) int {
	if node == nil || node.GetToken() == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// each calls f for every object and text of a world, with its path.
func each(path string, v reflect.Value, f func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			each(path, v.Elem(), f)
		}
	case reflect.Struct:
		f(path, v)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
				each(path+"."+name, v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(fmt.Sprintf("%s[%d]", path, i), v.Index(i), f)
		}
	case reflect.String:
		f(path, v)
	}
}

// named lists the members that the file of w names.
func (w *World) named() []string {
	var all []string
	each("$", reflect.ValueOf(w), func(path string, v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		if m, ok := v.Addr().Interface().(marker); ok {
			for member := range m.named() {
				all = append(all, path+"."+member)
			}
		}
	})
	slices.Sort(all)
	return all
}

// problem says what is wrong with a member of an object at a path such as
// "tenants[0].users[1]".
func (w *World) problem(path string, g given, member, format string, args ...any) error {
	where := w.name
	if where == "" {
		where = "world"
	}
	line, ok := g[member]
	if !ok {
		line = g[""]
	}
	if line > 0 {
		where = fmt.Sprintf("%s:%d", where, line)
	}
	return fmt.Errorf("%s: %s: %s", where, strings.TrimSuffix(path+"."+member, "."), fmt.Sprintf(format, args...))
}
