package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Languages returns the languages that there are texts of, as BCP 47 tags in
// their order, "en" among them. A further one is a file more in src/lang.
func Languages() []string {
	languages := make([]string, 0, len(texts()))
	for language := range texts() {
		languages = append(languages, language)
	}
	slices.Sort(languages)
	return languages
}

// Texts returns what pages and scripts say in a language, by key; nil for one
// that [Languages] has not. A test has every language say everything. Callers
// must not change it.
func Texts(language string) map[string]string { return texts()[language] }

var texts = sync.OnceValue(func() map[string]map[string]string {
	files, err := fs.Glob(Assets(), "lang/*.json")
	if err != nil {
		panic(err) // the pattern is valid
	}
	all := make(map[string]map[string]string, len(files))
	for _, file := range files {
		raw, err := fs.ReadFile(Assets(), file)
		if err != nil {
			panic(err) // the build embeds it
		}
		var table map[string]string
		if err := json.Unmarshal(raw, &table); err != nil {
			panic(fmt.Sprintf("web: %s: %v", file, err))
		}
		all[strings.TrimSuffix(path.Base(file), ".json")] = table
	}
	return all
})
