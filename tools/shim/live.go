package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Between SIGTERM and SIGKILL of a command that starts again.
const restartGrace = 1200 * time.Millisecond

// live is a service that somebody works on (`--control NAME`): its command can be started again in the same container,
// and when it ends by itself after it was healthy, the container stays, for the next edit may mend it.
//
//	running --ends--> stopped --restart--> running          SIGTERM: the command ends, and the container with it
//
// It is asked on an abstract socket of that name, one JSON object a line: {"id","do":"restart"} and
// {"id","do":"run","command"}; each is answered by {"done":id,"exitCode","output"}. Every connection is told what
// happens: {"stopped":exitCode}, {"unhealthy":output}, {"healthy":true}.
type live struct {
	command    []string
	executable string
	reaper     *reaper
	ended      chan int
	requests   chan request
	mutex      sync.Mutex
	told       []net.Conn
	pid        int
	// The exit code, while the command does not run.
	stopped *int
}

type request struct {
	Id      int    `json:"id"`
	Do      string `json:"do"`
	Command string `json:"command"`
	answer  func(exitCode int, output string)
}

func (service serviceArguments) runLive(executable string, parsed options, reporter *reporter) int {
	listener, err := net.Listen("unix", "@"+service.control)
	if err != nil {
		return refuseService(service.control, err)
	}
	live := &live{
		command: parsed.command, executable: executable, reaper: newReaper(parsed.noInit),
		ended: make(chan int, 1), requests: make(chan request),
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	if err := live.start(); err != nil {
		return refuseService(parsed.command[0], err)
	}
	go live.reaper.reap()
	go live.accept(listener)
	healthy := make(chan struct{})
	go func() {
		service.health.follow(reporter, live.reaper)
		close(healthy)
		service.health.watch(live)
	}()
	return live.run(signals, healthy)
}

func (live *live) run(signals <-chan os.Signal, healthy <-chan struct{}) int {
	terminating := false
	for {
		select {
		case received := <-signals:
			number, ok := received.(syscall.Signal)
			if !ok || number == syscall.SIGCHLD || number == syscall.SIGURG || number == syscall.SIGPIPE {
				continue
			}
			terminating = terminating || number == syscall.SIGTERM || number == syscall.SIGINT || number == syscall.SIGQUIT
			if terminating && live.stopped != nil {
				return *live.stopped
			}
			_ = syscall.Kill(live.pid, number)
		case exitCode := <-live.ended:
			select {
			case <-healthy:
			default:
				return exitCode
			}
			if terminating {
				return exitCode
			}
			live.stop()
			live.mutex.Lock()
			live.stopped = &exitCode
			live.mutex.Unlock()
			live.tell(map[string]any{"stopped": exitCode})
		case wanted := <-live.requests:
			live.restart(wanted)
		}
	}
}

// start begins the command as the leader of a group of its own, so that all that it starts can be ended with it.
func (live *live) start() error {
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer stdin.Close()
	pid, ended, err := live.reaper.start(live.executable, live.command, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return err
	}
	live.mutex.Lock()
	live.pid, live.stopped = pid, nil
	live.mutex.Unlock()
	go func() { live.ended <- <-ended }()
	return nil
}

// restart returns when the command runs again: not before the last of the old group has gone, which may hold its port.
func (live *live) restart(wanted request) {
	if live.stopped == nil {
		live.stop()
		<-live.ended
	}
	if err := live.start(); err != nil {
		code := refuseService(live.command[0], err)
		live.mutex.Lock()
		live.stopped = &code
		live.mutex.Unlock()
		wanted.answer(code, err.Error())
		return
	}
	wanted.answer(0, "")
}

// stop ends the group of the command: asked first, then not asked any more.
func (live *live) stop() {
	_ = syscall.Kill(-live.pid, syscall.SIGTERM)
	for end := time.Now().Add(restartGrace); syscall.Kill(-live.pid, 0) == nil; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(-live.pid, syscall.SIGKILL)
		}
	}
}

func (live *live) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		live.mutex.Lock()
		live.told = append(live.told, connection)
		stopped := live.stopped
		live.mutex.Unlock()
		if stopped != nil {
			live.write(connection, map[string]any{"stopped": *stopped})
		}
		go live.serve(connection)
	}
}

func (live *live) serve(connection net.Conn) {
	lines := bufio.NewScanner(connection)
	lines.Buffer(make([]byte, 4096), 1<<20)
	for lines.Scan() {
		var wanted request
		if json.Unmarshal(lines.Bytes(), &wanted) != nil {
			continue
		}
		id := wanted.Id
		wanted.answer = func(exitCode int, output string) {
			live.write(connection, map[string]any{"done": id, "exitCode": exitCode, "output": output})
		}
		if wanted.Do == "restart" {
			live.requests <- wanted
		} else if wanted.Do == "run" {
			check := healthCheck{Args: []string{"/bin/sh", "-ec", wanted.Command}, TimeoutMs: int(time.Hour / time.Millisecond)}
			result := check.run(live.reaper)
			output := result.Stdout + result.Stderr
			fmt.Fprint(os.Stdout, output)
			wanted.answer(result.ExitCode, output)
		}
	}
}

func (live *live) tell(event map[string]any) {
	live.mutex.Lock()
	told := append([]net.Conn{}, live.told...)
	live.mutex.Unlock()
	for _, connection := range told {
		live.write(connection, event)
	}
}

func (live *live) write(connection net.Conn, event map[string]any) {
	line, err := json.Marshal(event)
	if err == nil {
		live.mutex.Lock()
		_, _ = connection.Write(append(line, '\n'))
		live.mutex.Unlock()
	}
}

// watch goes on with the check of a service that became healthy, and tells when that changes.
func (health health) watch(live *live) {
	if health.check == nil {
		return
	}
	pause := max(time.Duration(health.check.IntervalMs)*time.Millisecond, 2*time.Second)
	for failures := 0; ; {
		time.Sleep(pause)
		live.mutex.Lock()
		runs := live.stopped == nil
		live.mutex.Unlock()
		if !runs {
			failures = 0
			continue
		}
		result := health.check.run(live.reaper)
		if result.ExitCode == 0 {
			if failures >= health.check.Retries {
				live.tell(map[string]any{"healthy": true})
			}
			failures = 0
		} else if failures++; failures == health.check.Retries {
			live.tell(map[string]any{"unhealthy": result.Stdout + result.Stderr})
		}
	}
}
