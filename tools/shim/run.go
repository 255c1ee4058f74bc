package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// run starts the command, waits for it and returns its exit code. An error means that the shim itself failed.
func run(parsed options) (int, error) {
	if err := prepareEnvironment(parsed); err != nil {
		return 0, err
	}
	stdin, err := openStdin(parsed)
	if err != nil {
		return 0, err
	}
	streams, err := openStreams(parsed)
	if err != nil {
		return 0, err
	}
	executable, err := exec.LookPath(parsed.command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return streams.refuse(parsed.command[0], err), nil
	}

	// Listening before the start: a signal that comes meanwhile waits in the channel.
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	process, err := os.StartProcess(executable, parsed.command, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{stdin, streams.stdout.child, streams.stderr.child},
	})
	if err != nil {
		return streams.refuse(parsed.command[0], err), nil
	}
	go forward(signals, process.Pid)
	streams.start()
	exitCode := newReaper(parsed.noInit).wait(process.Pid)
	streams.drain()
	return exitCode, nil
}

func openStdin(parsed options) (*os.File, error) {
	if parsed.redirectStdin != "" {
		// A copy of the file, for users who may not read it themselves.
		if file, err := os.Open(filepath.Join(filepath.Dir(parsed.meta), "input", "file")); err == nil {
			return file, nil
		}
		return os.Open(parsed.redirectStdin)
	}
	file, err := os.Open(filepath.Join(parsed.meta, "stdin"))
	if errors.Is(err, fs.ErrNotExist) {
		return os.Open(os.DevNull)
	}
	return file, err
}

func forward(signals <-chan os.Signal, pid int) {
	for received := range signals {
		number, ok := received.(syscall.Signal)
		// SIGCHLD is about our children, SIGURG is how the Go runtime preempts, SIGPIPE is about our own streams.
		if !ok || number == syscall.SIGCHLD || number == syscall.SIGURG || number == syscall.SIGPIPE {
			continue
		}
		_ = syscall.Kill(pid, number)
	}
}

// The code of a command that can't be run, as of Dagger's own first process: not the 126 and 127 of shells.
const notStarted = 1

// refuse reports a command that can't be run; the message is part of the recorded stderr.
func (streams *streams) refuse(command string, err error) int {
	message := fmt.Sprintf("%s: %v", command, err)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		message = fmt.Sprintf("%s: command not found (PATH=%s)", command, os.Getenv("PATH"))
	case errors.Is(err, fs.ErrNotExist):
		message = command + ": no such file, or its interpreter or loader is missing"
	case errors.Is(err, fs.ErrPermission):
		message = command + ": permission denied (is it executable, and may this user run it?)"
	case errors.Is(err, syscall.ENOEXEC):
		message = command + ": exec format error (built for another platform, or a script without #!)"
	case errors.Is(err, syscall.E2BIG):
		message = command + ": arguments and environment are too long"
	}
	_, _ = streams.stderr.Write([]byte(message + "\n"))
	// The message may end as a secret begins.
	streams.stderr.end()
	return notStarted
}
