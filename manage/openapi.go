package manage

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/convene-meet/convene/lab"
)

// A doc is an object of the OpenAPI document.
type doc = map[string]any

// openAPI describes this API (OpenAPI Specification 3.1), from the table of
// routes and the types that they read and write.
func (h *Handler) openAPI(*http.Request) (any, error) {
	schemas := schemas{map[string]any{}, map[string]reflect.Type{}}
	paths := map[string]doc{}
	for i := range routes {
		route := &routes[i]
		if route.kit && h.Lab == nil {
			continue
		}
		item := paths[route.path]
		if item == nil {
			item = doc{}
			paths[route.path] = item
		}
		item[strings.ToLower(route.method)] = route.describe(schemas)
	}
	if fault, ok := schemas.docs["Fault"].(doc); ok {
		fault["properties"].(doc)["operation"] = doc{"type": "string", "enum": lab.Operations()}
	}
	schemas.docs["Error"] = doc{"type": "object", "required": []string{"error"}, "properties": doc{"error": doc{
		"type": "object", "required": []string{"code", "message"}, "properties": doc{"code": doc{"type": "string"}, "message": doc{"type": "string"}},
	}}}
	return doc{
		"openapi": "3.1.0",
		"info": doc{
			"title":       "Convene: management",
			"description": "What administers a running server, and breaks it for tests. It is served on the Unix socket in the data directory, and over TCP where the server is told so, never on the public address.",
			"version":     "v1",
			"license":     doc{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{doc{"url": "http://management", "description": "Over the Unix socket any host will do."}},
		"paths":   paths,
		"components": doc{
			"schemas": schemas.docs,
			"responses": doc{"error": doc{
				"description": "What is wrong, and what to change.",
				"content":     doc{"application/json": doc{"schema": reference("Error")}},
			}},
			"securitySchemes": doc{"token": doc{"type": "http", "scheme": "bearer", "description": "The server's management token. The Unix socket needs none."}},
		},
		"security": []any{doc{}, doc{"token": []string{}}},
	}, nil
}

func reference(name string) doc { return doc{"$ref": "#/components/schemas/" + name} }

// id is the operationId: method and path as one word.
func (r *route) id() string {
	word := strings.ToLower(r.method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(r.path, "/v1"), func(c rune) bool { return c == '/' || c == '-' || c == '.' }) {
		word += strings.ToUpper(part[:1]) + part[1:]
	}
	return word
}

func (r *route) describe(s schemas) doc {
	o := doc{"operationId": r.id(), "summary": r.summary}
	var query []any
	for _, p := range r.query {
		query = append(query, doc{"name": p.name, "in": "query", "description": p.about, "schema": doc{"type": "string"}})
	}
	if query != nil {
		o["parameters"] = query
	}
	switch body := r.body.(type) {
	case nil:
	case file:
		o["requestBody"] = doc{"required": true, "content": doc{string(body): doc{"schema": doc{"type": "string"}}}}
	default:
		o["requestBody"] = doc{"required": true, "content": doc{"application/json": doc{"schema": s.of(reflect.TypeOf(body))}}}
	}
	answer := doc{"type": "object"}
	if r.answer != nil {
		answer = s.of(reflect.TypeOf(r.answer))
	}
	o["responses"] = doc{
		"200":     doc{"description": "OK", "content": doc{"application/json": doc{"schema": answer}}},
		"default": doc{"$ref": "#/components/responses/error"},
	}
	return o
}

// schemas are those of the types that were met, by name.
type schemas struct {
	docs  map[string]any
	types map[string]reflect.Type
}

var (
	typeTime     = reflect.TypeFor[time.Time]()
	typeDuration = reflect.TypeFor[lab.Duration]()
	typeRaw      = reflect.TypeFor[json.RawMessage]()
	typeText     = reflect.TypeFor[encoding.TextMarshaler]()
)

// of is the schema of a type as encoding/json writes it.
func (s schemas) of(t reflect.Type) doc {
	switch t {
	case typeTime:
		return doc{"type": "string", "format": "date-time"}
	case typeDuration:
		return doc{"type": "string", "description": "As in Go: 250ms, 90m, 36h.", "examples": []string{"90m"}}
	case typeRaw:
		return doc{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Bool:
		return doc{"type": "boolean"}
	case reflect.String:
		return doc{"type": "string"}
	case reflect.Float64:
		return doc{"type": "number"}
	case reflect.Int, reflect.Int64:
		return doc{"type": "integer"}
	case reflect.Interface:
		return doc{}
	case reflect.Map:
		return doc{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return doc{"type": "string", "contentEncoding": "base64"}
		}
		return doc{"type": "array", "items": s.of(t.Elem())}
	case reflect.Struct:
		if t.Implements(typeText) {
			return doc{"type": "string"}
		}
	default:
		panic(fmt.Sprintf("a %s in an API", t)) // of types of ours, which a test goes through
	}
	if strings.Contains(t.Name(), "[") { // a list
		return s.object(t)
	}
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if known := s.types[name]; known == nil {
		s.types[name] = t // before its members, which may name it
		s.docs[name] = s.object(t)
	} else if known != t {
		panic(fmt.Sprintf("%s and %s have one name in an API", known, t)) // as above
	}
	return reference(name)
}

func (s schemas) object(t reflect.Type) doc {
	properties := doc{}
	var required []string
	for _, f := range reflect.VisibleFields(t) {
		name, how, tagged := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous && !tagged && name == "" || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		properties[name] = s.of(f.Type)
		if !strings.Contains(how, "omit") {
			required = append(required, name)
		}
	}
	o := doc{"type": "object", "properties": properties}
	if required != nil {
		o["required"] = required
	}
	return o
}
