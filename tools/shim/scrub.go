package main

import (
	"bytes"
	"os"
	"sort"
	"strings"
)

const mask = "***"

// scrubber masks secrets in a stream that comes in pieces, so that they are in no record and in no log.
type scrubber struct {
	// Longest first.
	needles []string
	// The end of the stream so far that may be the beginning of a secret.
	pending string
}

// secretsToMask reads the values of the variables and files that hold secrets; each is masked as it is and trimmed.
func secretsToMask(parsed options) []string {
	values := map[string]bool{}
	add := func(value string) {
		values[value] = true
		values[strings.TrimSpace(value)] = true
	}
	for _, name := range parsed.scrubEnv {
		add(os.Getenv(name))
	}
	for _, path := range parsed.scrubFile {
		if content, err := os.ReadFile(path); err == nil {
			add(string(content))
		}
	}
	delete(values, "")
	needles := make([]string, 0, len(values))
	for value := range values {
		needles = append(needles, value)
	}
	sort.Slice(needles, func(a, b int) bool { return len(needles[a]) > len(needles[b]) })
	return needles
}

// push returns what can be passed on.
func (scrubber *scrubber) push(chunk []byte) []byte {
	if len(scrubber.needles) == 0 {
		return chunk
	}
	text := scrubber.pending + string(chunk)
	scrubber.pending = ""
	var out bytes.Buffer
	for {
		start, needle := scrubber.first(text)
		if needle == "" {
			break
		}
		if scrubber.mayBecomeLonger(text[start:]) {
			out.WriteString(text[:start])
			scrubber.pending = text[start:]
			return out.Bytes()
		}
		out.WriteString(text[:start] + mask)
		text = text[start+len(needle):]
	}
	held := scrubber.heldLength(text)
	out.WriteString(text[:len(text)-held])
	scrubber.pending = text[len(text)-held:]
	return out.Bytes()
}

// end returns what was held back.
func (scrubber *scrubber) end() []byte {
	text := scrubber.pending
	scrubber.pending = ""
	for _, needle := range scrubber.needles {
		text = strings.ReplaceAll(text, needle, mask)
	}
	return []byte(text)
}

// first is the earliest secret in the text, the longest of those that start there.
func (scrubber *scrubber) first(text string) (int, string) {
	start, found := len(text), ""
	for _, needle := range scrubber.needles {
		if index := strings.Index(text, needle); index >= 0 && index < start {
			start, found = index, needle
		}
	}
	return start, found
}

// mayBecomeLonger tells whether the text may be the beginning of a longer secret than the one that it starts with.
func (scrubber *scrubber) mayBecomeLonger(text string) bool {
	for _, other := range scrubber.needles {
		if len(other) > len(text) && strings.HasPrefix(other, text) {
			return true
		}
	}
	return false
}

// heldLength is the length of the longest end of the text that begins a secret.
func (scrubber *scrubber) heldLength(text string) int {
	held := 0
	for _, needle := range scrubber.needles {
		for length := min(len(needle)-1, len(text)); length > held; length-- {
			if strings.HasSuffix(text, needle[:length]) {
				held = length
			}
		}
	}
	return held
}
