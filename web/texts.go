package web

import (
	"embed"
	"encoding/json"
)

//go:embed langtmp
var langtmp embed.FS

func Languages() []string { return []string{"el", "en"} }
func Texts(l string) map[string]string {
	b, _ := langtmp.ReadFile("langtmp/" + l + ".json")
	m := map[string]string{}
	_ = json.Unmarshal(b, &m)
	return m
}
