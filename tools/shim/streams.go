package main

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// stream copies one output of the command to its files and passes it on.
type stream struct {
	// Our end and the command's end of the pipe.
	parent, child *os.File
	sinks         []*os.File
	// Shared by both streams, so that `combined` keeps whole writes in order.
	combined *os.File
	lock     *sync.Mutex
	scrubber scrubber
	done     chan struct{}
}

type streams struct{ stdout, stderr *stream }

func openStreams(parsed options) (*streams, error) {
	combined, err := os.Create(filepath.Join(parsed.meta, "combined"))
	if err != nil {
		return nil, err
	}
	lock := &sync.Mutex{}
	secrets := secretsToMask(parsed)
	open := func(name string, live *os.File, redirect string) (*stream, error) {
		file, err := os.Create(filepath.Join(parsed.meta, name))
		if err != nil {
			return nil, err
		}
		sinks := []*os.File{file, live}
		if redirect != "" {
			target, err := os.OpenFile(redirect, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return nil, err
			}
			// Also one that was there belongs to the user then, as on a Dagger engine; only root may give files away.
			_ = target.Chown(os.Getuid(), os.Getgid())
			sinks = append(sinks, target)
		}
		parent, child, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		return &stream{parent: parent, child: child, sinks: sinks, combined: combined, lock: lock, scrubber: scrubber{needles: secrets}, done: make(chan struct{})}, nil
	}
	stdout, err := open("stdout", os.Stdout, parsed.redirectStdout)
	if err != nil {
		return nil, err
	}
	stderr, err := open("stderr", os.Stderr, parsed.redirectStderr)
	if err != nil {
		return nil, err
	}
	return &streams{stdout: stdout, stderr: stderr}, nil
}

// Write sends one chunk to every sink. A sink that fails (disk full, reader gone) must not stop the command, but a file
// that lacks output must not look complete either: the failure is said on stderr once.
func (stream *stream) Write(chunk []byte) (int, error) {
	stream.lock.Lock()
	defer stream.lock.Unlock()
	stream.pass(stream.scrubber.push(chunk))
	return len(chunk), nil
}

// end passes on what was held back as the possible beginning of a secret.
func (stream *stream) end() {
	stream.lock.Lock()
	defer stream.lock.Unlock()
	stream.pass(stream.scrubber.end())
}

func (stream *stream) pass(chunk []byte) {
	if len(chunk) == 0 {
		return
	}
	for _, sink := range append([]*os.File{stream.combined}, stream.sinks...) {
		if _, err := sink.Write(chunk); err != nil {
			complaint.Do(func() { os.Stderr.WriteString("fastloop shim: output lost: " + err.Error() + "\n") })
		}
	}
}

var complaint sync.Once

func (streams *streams) start() {
	for _, each := range []*stream{streams.stdout, streams.stderr} {
		// Only the command holds the writing end now, so that its end is the end of the stream.
		each.child.Close()
		go each.copy()
	}
}

func (stream *stream) copy() {
	defer close(stream.done)
	buffer := make([]byte, 64*1024)
	for {
		count, err := stream.parent.Read(buffer)
		if count > 0 {
			_, _ = stream.Write(buffer[:count])
		}
		if err != nil {
			return
		}
	}
}

// drain reads what the command wrote before it ended. A process that it left in the background may hold the pipe open:
// then reading stops after a moment, and what is in the pipe at that time is still taken.
func (streams *streams) drain() {
	deadline := time.Now().Add(100 * time.Millisecond)
	for _, each := range []*stream{streams.stdout, streams.stderr} {
		select {
		case <-each.done:
		case <-time.After(time.Until(deadline)):
			_ = each.parent.SetReadDeadline(time.Now())
			<-each.done
			each.takeRest()
		}
		each.end()
	}
}

// takeRest empties the pipe without waiting; bounded, as a background process may write without end.
func (stream *stream) takeRest() {
	connection, err := stream.parent.SyscallConn()
	if err != nil {
		return
	}
	_ = stream.parent.SetReadDeadline(time.Time{})
	buffer := make([]byte, 64*1024)
	for taken := 0; taken < 1<<20; {
		count := 0
		_ = connection.Read(func(descriptor uintptr) bool {
			count, _ = syscall.Read(int(descriptor), buffer)
			return true
		})
		if count <= 0 {
			return
		}
		_, _ = stream.Write(buffer[:count])
		taken += count
	}
}
