package main

import (
	"errors"
	"fmt"
	"strings"
)

type options struct {
	expect         string
	redirectStdin  string
	redirectStdout string
	redirectStderr string
	noInit         bool
	// NAME=PATH
	secretEnv []string
	// Names of variables and paths of files whose values are masked in the output.
	scrubEnv, scrubFile []string
	meta                string
	trust               string
	command             []string
}

func parseArguments(arguments []string) (options, error) {
	parsed := options{expect: "success", meta: "/.fastloop/meta", trust: "/.fastloop/trust"}
	for index := 0; index < len(arguments); index++ {
		flag := arguments[index]
		if flag == "--" {
			parsed.command = arguments[index+1:]
			break
		}
		if flag == "--no-init" {
			parsed.noInit = true
			continue
		}
		if index+1 >= len(arguments) {
			return parsed, fmt.Errorf("%s needs a value", flag)
		}
		index++
		if err := parsed.set(flag, arguments[index]); err != nil {
			return parsed, err
		}
	}
	if len(parsed.command) == 0 {
		return parsed, errors.New("no command after --")
	}
	return parsed, nil
}

func (parsed *options) set(flag, value string) error {
	switch flag {
	case "--expect":
		if value != "success" && value != "failure" && value != "any" {
			return fmt.Errorf("--expect %s: not one of success, failure, any", value)
		}
		parsed.expect = value
	case "--redirect-stdin":
		parsed.redirectStdin = value
	case "--redirect-stdout":
		parsed.redirectStdout = value
	case "--redirect-stderr":
		parsed.redirectStderr = value
	case "--secret-env":
		if !strings.Contains(value, "=") {
			return fmt.Errorf("--secret-env %s: not NAME=PATH", value)
		}
		parsed.secretEnv = append(parsed.secretEnv, value)
	case "--scrub-env":
		parsed.scrubEnv = append(parsed.scrubEnv, value)
	case "--scrub-file":
		parsed.scrubFile = append(parsed.scrubFile, value)
	case "--meta":
		parsed.meta = value
	case "--trust":
		parsed.trust = value
	default:
		return fmt.Errorf("unknown flag %s", flag)
	}
	return nil
}
