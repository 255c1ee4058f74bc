package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// What is kept of each stream of a health check that fails.
const keptCheckBytes = 64 * 1024

// healthCheck is Docker's, as a Dagger engine reads it.
type healthCheck struct {
	Args          []string `json:"args"`
	IntervalMs    int      `json:"intervalMs"`
	TimeoutMs     int      `json:"timeoutMs"`
	StartPeriodMs int      `json:"startPeriodMs"`
	Retries       int      `json:"retries"`
}

type checkResult struct {
	ExitCode int    `json:"exitCode"`
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
}

// health is what decides when a service is ready: its check if it has one, else its ports.
type health struct {
	loopback bool
	ports    []string
	check    *healthCheck
}

// reporter tells the host about a service on a socket, one JSON object a line: {"address"}, then {"healthy":true} or
// {"unhealthy":{…}}, and {"exit":N} at the end. A process of its own in the container could not: BuildKit ends a
// container, and forgets how its first process ended, when any other process of it fails.
type reporter struct {
	mutex      sync.Mutex
	connection net.Conn
}

func openReporter(socket string) (*reporter, error) {
	if socket == "" {
		return &reporter{}, nil
	}
	connection, err := net.Dial("unix", socket)
	return &reporter{connection: connection}, err
}

func (reporter *reporter) tell(key string, value any) {
	reporter.mutex.Lock()
	defer reporter.mutex.Unlock()
	if reporter.connection == nil {
		return
	}
	line, err := json.Marshal(map[string]any{key: value})
	if err == nil {
		_, _ = reporter.connection.Write(append(line, '\n'))
	}
}

// end tells the exit code and waits until the host has it: the container ends with this process.
func (reporter *reporter) end(exitCode int) {
	reporter.tell("exit", exitCode)
	if reporter.connection != nil {
		_ = reporter.connection.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = reporter.connection.Read(make([]byte, 1))
	}
}

// follow tells where the service is and whether it became healthy.
func (health health) follow(reporter *reporter, reaper *reaper) {
	address, err := ownAddress(health.loopback)
	if err != nil {
		reporter.tell("unhealthy", checkResult{ExitCode: 1, Stderr: err.Error()})
		return
	}
	reporter.tell("address", address)
	if health.check != nil {
		if failed := health.check.wait(reaper); failed != nil {
			reporter.tell("unhealthy", failed)
			return
		}
	} else {
		for _, port := range health.ports {
			awaitPort(net.JoinHostPort(address, port))
		}
	}
	reporter.tell("healthy", true)
}

func awaitPort(address string) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			connection.Close()
			return
		}
		time.Sleep(pause)
	}
}

// wait returns nil when the check has passed, or the failure that was one too many. Failures within the start period
// do not count.
func (check *healthCheck) wait(reaper *reaper) *checkResult {
	graceEnds := time.Now().Add(time.Duration(check.StartPeriodMs) * time.Millisecond)
	for failures := 0; ; {
		result := check.run(reaper)
		if result.ExitCode == 0 {
			return nil
		}
		if time.Now().After(graceEnds) {
			failures++
		}
		if failures == check.Retries {
			return &result
		}
		time.Sleep(time.Duration(check.IntervalMs) * time.Millisecond)
	}
}

func (check *healthCheck) run(reaper *reaper) checkResult {
	executable, err := exec.LookPath(check.Args[0])
	if err != nil {
		return checkResult{ExitCode: 127, Stderr: err.Error()}
	}
	stdout, stderr := newCapture(), newCapture()
	stdin, _ := os.Open(os.DevNull)
	defer stdin.Close()
	pid, ended, err := reaper.start(executable, check.Args, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{stdin, stdout.child, stderr.child},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	stdout.child.Close()
	stderr.child.Close()
	if err != nil {
		return checkResult{ExitCode: 126, Stderr: err.Error()}
	}
	late := time.AfterFunc(time.Duration(check.TimeoutMs)*time.Millisecond, func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	exitCode := <-ended
	late.Stop()
	return checkResult{ExitCode: exitCode, Stdout: stdout.text(), Stderr: stderr.text()}
}

// capture keeps the beginning of what a process writes.
type capture struct {
	child, reader *os.File
	kept          []byte
	done          chan struct{}
}

func newCapture() *capture {
	reader, writer, err := os.Pipe()
	if err != nil {
		reader, _ = os.Open(os.DevNull)
		writer, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	captured := &capture{child: writer, reader: reader, done: make(chan struct{})}
	go func() {
		defer close(captured.done)
		buffer := make([]byte, 4096)
		for {
			count, err := reader.Read(buffer)
			captured.kept = append(captured.kept, buffer[:min(count, keptCheckBytes-len(captured.kept))]...)
			if err != nil {
				return
			}
		}
	}()
	return captured
}

// text is asked for when the process has ended; what it left running in the background does not hold it up.
func (captured *capture) text() string {
	_ = captured.reader.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	<-captured.done
	captured.reader.Close()
	return string(captured.kept)
}
