package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// How a secret may look in what a command prints; the same as src/text/secret-forms.ts, which says why.
const (
	shortestMasked = 4
	longestWhole   = 64 * 1024
	// Of more than that only the secrets themselves and their lines are masked.
	encodedBytes = 64 * 1024
)

var (
	lineBreaks    = regexp.MustCompile(`[\r\n]+`)
	escapedByte   = regexp.MustCompile(`%..`)
	base64Columns = []int{76, 64}
)

func isLongEnough(text string) bool { return utf8.RuneCountInString(text) >= shortestMasked }

func linesOf(secret string) []string {
	var lines []string
	for _, line := range lineBreaks.Split(secret, -1) {
		if line = strings.TrimSpace(line); isLongEnough(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// plainForms are the secret with and without the white space around it, and each of its lines.
func plainForms(secret string) []string {
	if !isLongEnough(strings.TrimSpace(secret)) {
		return nil
	}
	lines := linesOf(secret)
	if len(secret) <= longestWhole || len(lines) == 1 {
		return append(lines, secret, strings.TrimSpace(secret))
	}
	return lines
}

// encodedForms are the encodings of the secret and of its lines.
func encodedForms(secret string) []string {
	if !isLongEnough(strings.TrimSpace(secret)) {
		return nil
	}
	var forms []string
	for _, text := range append(linesOf(secret), secret, strings.TrimSpace(secret)) {
		digits := hex.EncodeToString([]byte(text))
		forms = append(forms, digits, strings.ToUpper(digits))
		forms = append(forms, base64Forms(text)...)
		forms = append(forms, escapedForms(text)...)
	}
	kept := forms[:0]
	for _, form := range forms {
		if isLongEnough(form) {
			kept = append(kept, form)
		}
	}
	return kept
}

// base64Forms has what is the same whatever comes before and after the text, for each of three alignments.
func base64Forms(text string) []string {
	var forms []string
	for before, unsure := range []int{0, 2, 3} {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), text...))
		end := len(encoded)
		if (before+len(text))%3 != 0 {
			end--
		}
		if unsure < end {
			forms = append(forms, encoded[unsure:end])
		}
	}
	whole := base64.StdEncoding.EncodeToString([]byte(text))
	forms = append(forms, whole, strings.TrimRight(whole, "="))
	for _, columns := range base64Columns {
		for start := 0; len(whole) > columns && start < len(whole); start += columns {
			forms = append(forms, whole[start:min(start+columns, len(whole))])
		}
	}
	for _, form := range forms {
		forms = append(forms, strings.NewReplacer("+", "-", "/", "_").Replace(form))
	}
	return forms
}

func escapedForms(text string) []string {
	quoted, _ := json.Marshal(text)
	byGo := string(quoted[1 : len(quoted)-1])
	// As JavaScript and Python write it: Go escapes what HTML would read.
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(byGo)
	ascii := &strings.Builder{}
	for _, character := range plain {
		switch {
		case character >= 0x20 && character <= 0x7e:
			ascii.WriteRune(character)
		case character > 0xffff:
			fmt.Fprintf(ascii, `\u%04x\u%04x`, 0xd800+(character-0x10000)>>10, 0xdc00+(character-0x10000)&0x3ff)
		default:
			fmt.Fprintf(ascii, `\u%04x`, character)
		}
	}
	tags := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	quotes := strings.ReplaceAll(tags, `"`, "&quot;")
	forms := []string{
		byGo, plain, strings.ReplaceAll(plain, "/", `\/`), ascii.String(),
		strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain),
		tags, quotes, strings.ReplaceAll(quotes, "'", "&apos;"), strings.ReplaceAll(quotes, "'", "&#39;"),
		strings.ReplaceAll(text, "'", `'\''`),
	}
	return append(forms, urlForms(text)...)
}

// urlForms: encoders differ in what they leave as it is, and in the case of their digits.
func urlForms(text string) []string {
	form := url.QueryEscape(text)
	strict := strings.ReplaceAll(form, "+", "%20")
	component := strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(strict)
	whole := strings.NewReplacer("%3B", ";", "%2F", "/", "%3F", "?", "%3A", ":", "%40", "@", "%26", "&", "%3D", "=", "%2B", "+", "%24", "$", "%2C", ",", "%23", "#").Replace(component)
	withStar := strings.NewReplacer("%2A", "*", "~", "%7E").Replace(form)
	forms := []string{strict, component, strings.ReplaceAll(strict, "%2F", "/"), whole, form, withStar}
	for _, each := range forms[:4] {
		forms = append(forms, strings.ReplaceAll(each, "%20", "+"))
	}
	for _, each := range forms {
		forms = append(forms, escapedByte.ReplaceAllStringFunc(each, strings.ToLower))
	}
	return forms
}
