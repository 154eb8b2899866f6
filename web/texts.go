package web

func Languages() []string            { return []string{"en"} }
func Texts(string) map[string]string { return nil }
