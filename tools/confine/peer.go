package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// peer prints who is at the other end of the unix socket that is descriptor 3.
func peer() {
	credentials, err := unix.GetsockoptUcred(3, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		os.Exit(1)
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", credentials.Pid))
	fmt.Printf("pid %d (%s), user %d\n", credentials.Pid, strings.Map(printable, string(name)), credentials.Uid)
}

// printable drops what a terminal would obey; processes choose their names.
func printable(character rune) rune {
	if character < ' ' || character > '~' {
		return -1
	}
	return character
}
