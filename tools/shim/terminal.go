package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
	"unsafe"
)

// How long a command waits for its terminal to have a size: programs that look once at their start should see it.
const sizePatience = 500 * time.Millisecond

// runTerminal runs a command on the shim's own terminal. It is no leader of a process group, as a program in a shell's
// foreground is: a shell makes a group of its own, and what the keyboard sends reaches a plain command beside the shim.
//
//	shim terminal [--beside] [flags] -- cmd args...
//
// `--beside`: in the container of a service, which BuildKit would end with a process that fails.
func runTerminal(arguments []string) (int, error) {
	if len(arguments) > 0 && arguments[0] == "--beside" {
		exitCode, err := runTerminal(arguments[1:])
		if err != nil {
			fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		} else if exitCode != 0 {
			fmt.Fprintf(os.Stderr, "ended with %d\r\n", exitCode)
		}
		return 0, nil
	}
	parsed, err := parseArguments(arguments)
	if err != nil {
		return 0, err
	}
	if err := prepareEnvironment(parsed); err != nil {
		return 0, err
	}
	executable, err := exec.LookPath(parsed.command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return refuseService(parsed.command[0], err), nil
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	awaitSize(signals)
	process, err := os.StartProcess(executable, parsed.command, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return refuseService(parsed.command[0], err), nil
	}
	go forwardButKeys(signals, process.Pid)
	return newReaper(parsed.noInit).wait(process.Pid), nil
}

// awaitSize returns when the terminal has a size: it comes with a SIGWINCH soon after the start.
func awaitSize(signals <-chan os.Signal) {
	late := time.After(sizePatience)
	for !hasSize() {
		select {
		case <-signals:
		case <-late:
			return
		}
	}
}

func hasSize() bool {
	var size struct{ rows, columns, width, height uint16 }
	_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, os.Stdin.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return failure != 0 || size.rows > 0 && size.columns > 0
}

// forwardButKeys leaves out what a terminal tells all of its foreground at once.
func forwardButKeys(signals <-chan os.Signal, pid int) {
	others := make(chan os.Signal)
	go forward(others, pid)
	for received := range signals {
		switch received {
		case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH:
		default:
			others <- received
		}
	}
}
