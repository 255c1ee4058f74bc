// confine runs a program (Node with function bodies) behind a boundary of the operating system.
//
// Contract with src/module/boundary.ts, which starts it:
//
//		confine SPEC        SPEC is the JSON of type spec; the environment is the program's
//
//	  - `confine peer` tells the daemon who is at the other end of the unix socket that is descriptor 3 (peer.go).
//	  - `confine look START END` says whether anything that a scan looked at has moved since (look.go).
//	  - The program has descriptors 1 and 2, and 3, a channel of its starter's; stdin is /dev/null.
//	  - Descriptor 4 is a line between the starter and confine. confine writes `started`, or `unable: WHY` when this
//	    machine does not let it make the boundary: then nothing was run, and it exits with 125. The starter writes
//	    `allow ADDRESS:PORT`, which confine answers with `allowed`.
//	  - confine ends as the program ends, with its exit code or by its signal. It dies with its starter, the program with it.
//
// The boundary: new user, mount, process, network, IPC and host name namespaces; a root that holds only what the spec
// names, read-only, and a /tmp of its own (root.go); no capabilities, no new privileges, Landlock, a seccomp filter
// (filter.go). Its network namespace has no way out. What the program connects to, confine connects to in its place,
// after a look at the address that the program can't change any more, and hands it the connected socket (connect.go).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// spec says what the program is and what it sees.
type spec struct {
	// Node with its arguments; the program's path is absolute.
	Command []string
	// Working directory.
	Folder string
	// Files and folders that the program sees, read-only, under the paths that they have here.
	Visible []string
	// Of those, folders and files that it sees empty.
	Hidden []string
	// HOST:PORT of what it may connect to although it is in the user's network: proxies.
	Allowed []string
	// The starter; who is not its child any more was left behind.
	Parent int
}

// What the re-executed confine is called inside of the namespaces.
const insideName = "confine-inside"

func init() {
	// Namespaces, capabilities and filters belong to a thread.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "look" {
		if err := look(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "look:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "confine is started by fastloop")
		os.Exit(125)
	}
	if os.Args[1] == "peer" {
		peer()
		return
	}
	var parsed spec
	if err := json.Unmarshal([]byte(os.Args[1]), &parsed); err != nil || len(parsed.Command) == 0 {
		fmt.Fprintln(os.Stderr, "confine: no spec")
		os.Exit(125)
	}
	if os.Args[0] == insideName {
		enter(parsed)
		return
	}
	os.Exit(supervise(parsed))
}
