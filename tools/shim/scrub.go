package main

import (
	"bytes"
	"os"
)

const mask = "***"

// secretsToMask reads the values of the variables and files that hold secrets; nil where there are none.
func secretsToMask(parsed options) *needles {
	var values []string
	for _, name := range parsed.scrubEnv {
		values = append(values, os.Getenv(name))
	}
	for _, path := range parsed.scrubFile {
		if content, err := os.ReadFile(path); err == nil {
			values = append(values, string(content))
		}
	}
	var texts []string
	encodedLeft := encodedBytes
	for _, value := range values {
		texts = append(texts, plainForms(value)...)
		if len(value) <= encodedLeft {
			encodedLeft -= len(value)
			texts = append(texts, encodedForms(value)...)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return newNeedles(texts)
}

type found struct{ from, to int }

// scrubber masks secrets in a stream that comes in pieces, so that they are in no record and in no log. An end that could
// be the beginning of a secret waits for the next piece. Secrets that overlap are masked as one.
type scrubber struct {
	needles *needles
	// How far it has come into one of the secrets.
	node int32
	// What was not passed on yet, and what of it are secrets, in their order.
	pending []byte
	secrets []found
}

// push returns what can be passed on.
func (scrubber *scrubber) push(chunk []byte) []byte {
	tree := scrubber.needles
	if tree == nil || len(chunk) == 0 {
		return chunk
	}
	read := len(scrubber.pending)
	scrubber.pending = append(scrubber.pending, chunk...)
	for index, code := range chunk {
		scrubber.node = tree.step(scrubber.node, code)
		if length := int(tree.longest[scrubber.node]); length > 0 {
			end := read + index + 1
			scrubber.note(end-length, end)
		}
	}
	// What a longer secret may still become a part of stays.
	begun := len(scrubber.pending) - int(tree.depth[scrubber.node])
	safe, over := begun, 0
	for _, secret := range scrubber.secrets {
		if secret.to <= begun {
			over++
		} else {
			safe = min(safe, secret.from)
			break
		}
	}
	passed := masked(scrubber.pending[:safe], scrubber.secrets[:over])
	scrubber.pending = append([]byte(nil), scrubber.pending[safe:]...)
	open := make([]found, 0, len(scrubber.secrets)-over)
	for _, secret := range scrubber.secrets[over:] {
		open = append(open, found{secret.from - safe, secret.to - safe})
	}
	scrubber.secrets = open
	return passed
}

// end returns what was held back.
func (scrubber *scrubber) end() []byte {
	rest := masked(scrubber.pending, scrubber.secrets)
	scrubber.pending, scrubber.secrets, scrubber.node = nil, nil, 0
	return rest
}

func (scrubber *scrubber) note(from, to int) {
	for last := len(scrubber.secrets) - 1; last >= 0 && scrubber.secrets[last].to > from; last-- {
		from = min(from, scrubber.secrets[last].from)
		scrubber.secrets = scrubber.secrets[:last]
	}
	scrubber.secrets = append(scrubber.secrets, found{from, to})
}

func masked(text []byte, secrets []found) []byte {
	if len(secrets) == 0 {
		return text
	}
	var result bytes.Buffer
	end := 0
	for _, secret := range secrets {
		result.Write(text[end:secret.from])
		result.WriteString(mask)
		end = secret.to
	}
	result.Write(text[end:])
	return result.Bytes()
}
