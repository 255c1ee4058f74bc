// The shim is the first process of every exec of the embedded engine: it runs the command and records what happened.
//
// Contract with src/core-api/solve/compile-exec.ts and src/core-api/service (which mount and call it):
//
//		/.fastloop/bin/shim [--expect success|failure|any] [--redirect-stdin P] [--redirect-stdout P] [--redirect-stderr P]
//		    [--no-init] [--scrub-env NAME]... [--scrub-file PATH]... [--secret-env NAME=PATH]... [--meta DIR] [--trust DIR] -- cmd args...
//
//	  - stdin comes from <meta>/stdin if that exists, else from /dev/null; --redirect-stdin P reads file P instead.
//	  - The command inherits environment, working directory and user. Its stdout and stderr are copied to
//	    <meta>/{stdout,stderr,combined} and passed on to the shim's own stdout and stderr (live logs).
//	    --redirect-stdout P and --redirect-stderr P copy the stream to file P as well.
//	  - <meta>/exitCode holds the command's exit code in decimal (128+N when signal N ended it).
//	  - The shim exits 0 when the expectation is met, else with the command's code, or 1 when a failure was expected and
//	    the command passed. As in Dagger, `failure` means 1-127 or 192-255 and `any` those and 0: death by a signal
//	    (128-191) is never expected. A command that can't be run ends with 1.
//	  - Signals are forwarded. As PID 1 it reaps orphans, unless --no-init. When the command ends, the shim ends: what the
//	    command left running in the background does not hold the exec open.
//	  - <trust>/ca.pem, if present, becomes SSL_CERT_FILE and its relatives; <trust>/env (lines K=V) the proxy variables
//	    in both cases; each only where it is not set already. Both are secret mounts: in no cache key and in no layer.
//	  - --scrub-env NAME and --scrub-file PATH name secrets: their values are masked as *** in all that is recorded or
//	    passed on.
//	  - --secret-env NAME=PATH sets NAME to the content of the file PATH.
//
// <meta> is /.fastloop/meta unless --meta says otherwise, <trust> is /.fastloop/trust. The meta folder must be writable
// for the user of the exec (mode 0777): the shim creates its files as that user.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Ways of running that are not an exec; see service.go, terminal.go, tunnel.go and sync.go.
var modes = map[string]func([]string) (int, error){
	"service": runService, "terminal": runTerminal, "listen": listen, "offer": offer,
	"sync": syncFiles,
}

func main() {
	if len(os.Args) > 1 {
		if mode, found := modes[os.Args[1]]; found {
			exitCode, err := mode(os.Args[2:])
			if err != nil {
				fmt.Fprintln(os.Stderr, "fastloop shim:", err)
				exitCode = 125
			}
			os.Exit(exitCode)
		}
	}
	options, err := parseArguments(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		os.Exit(125)
	}
	exitCode, err := run(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		os.Exit(125)
	}
	if err := os.WriteFile(filepath.Join(options.meta, "exitCode"), []byte(strconv.Itoa(exitCode)), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		os.Exit(125)
	}
	os.Exit(verdict(options.expect, exitCode))
}

// verdict turns the command's exit code into the shim's own.
func verdict(expect string, exitCode int) int {
	ordinary := exitCode < 128 || exitCode > 191
	switch {
	case expect == "any" && ordinary:
		return 0
	case expect == "failure" && exitCode == 0:
		return 1
	case expect == "failure" && ordinary:
		return 0
	default:
		return exitCode
	}
}
