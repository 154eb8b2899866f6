package join

import (
	"strconv"
	"strings"
)

// weighted takes an entry of Accept-Language apart; what has no weight has 1.
func weighted(item string) (tag string, q float64) {
	tag, parameters, found := strings.Cut(strings.TrimSpace(item), ";")
	if !found {
		return tag, 1
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(parameters), "q="), 64)
	if err != nil || q < 0 || q > 1 {
		return tag, 0
	}
	return tag, q
}
