package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// A format is how results are printed.
type format struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// print writes a result as JSON, or as table does.
func (f format) print(w io.Writer, v any, table func(w io.Writer)) error {
	if f.JSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	table(t)
	return t.Flush()
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// row writes one line of a table.
func row(w io.Writer, cells ...any) {
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, c)
	}
	fmt.Fprintln(w)
}

// paint marks text for a terminal, and for nothing else.
func paint(terminal bool, code, text string) string {
	if !terminal {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const (
	bold  = "1"
	faint = "2"
)

func (p *Program) colours(terminal bool) bool {
	return terminal && p.Getenv("NO_COLOR") == "" && p.Getenv("TERM") != "dumb"
}
