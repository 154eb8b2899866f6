package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Help() string {
	return `bash: source <(convene completion bash)
zsh:  source <(convene completion zsh)
fish: convene completion fish | source`
}

func (c *completionCommand) Run(p *Program, model *kong.Application) error {
	words := map[string][]string{}
	collect(model.Node, "", words)
	switch c.Shell {
	case "bash":
		return bashCompletion(p.Stdout, words)
	case "zsh":
		if _, err := io.WriteString(p.Stdout, "autoload -U +X bashcompinit && bashcompinit\n"); err != nil {
			return err
		}
		return bashCompletion(p.Stdout, words)
	}
	return fishCompletion(p.Stdout, model.Node, "")
}

// collect lists what may follow each path of commands.
func collect(n *kong.Node, path string, words map[string][]string) {
	for _, child := range n.Children {
		if child.Type == kong.CommandNode {
			words[path] = append(words[path], child.Name)
			collect(child, strings.TrimSpace(path+" "+child.Name), words)
		}
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			words[path] = append(words[path], "--"+f.Name)
		}
	}
	for _, positional := range n.Positional {
		words[path] = append(words[path], positional.EnumSlice()...)
	}
}

// bashCompletion walks the words that are there already along the commands, and
// offers what may follow.
func bashCompletion(w io.Writer, words map[string][]string) error {
	var b strings.Builder
	b.WriteString(`_convene() {
  local path="" word next
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="${path:+$path }$word"
    case "$next" in
`)
	paths := make([]string, 0, len(words))
	for path := range words {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		if path != "" {
			fmt.Fprintf(&b, "      %q) path=\"$next\" ;;\n", path)
		}
	}
	b.WriteString(`    esac
  done
  case "$path" in
`)
	for _, path := range paths {
		fmt.Fprintf(&b, "    %q) COMPREPLY=($(compgen -W %q -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n", path, strings.Join(words[path], " "))
	}
	b.WriteString(`  esac
  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -F _convene convene
`)
	_, err := io.WriteString(w, b.String())
	return err
}

// fishCompletion has a line for each command and flag, with its help.
func fishCompletion(w io.Writer, n *kong.Node, path string) error {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	var children []string
	for _, child := range n.Children {
		children = append(children, child.Name)
	}
	condition := "__fish_use_subcommand"
	if path != "" {
		condition = "__fish_seen_subcommand_from " + path
		if len(children) > 0 {
			condition += "; and not __fish_seen_subcommand_from " + strings.Join(children, " ")
		}
	}
	for _, child := range n.Children {
		if _, err := fmt.Fprintf(w, "complete -c convene -f -n %s -a %s -d %s\n", quote(condition), child.Name, quote(child.Help)); err != nil {
			return err
		}
		if err := fishCompletion(w, child, child.Name); err != nil {
			return err
		}
	}
	for _, f := range n.Flags {
		if _, err := fmt.Fprintf(w, "complete -c convene -n %s -l %s -d %s\n", quote(condition), f.Name, quote(f.Help)); err != nil {
			return err
		}
	}
	return nil
}
