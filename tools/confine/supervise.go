package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inside, the program is this user: nobody special.
const insideUser = 1000

// What setting up needs inside; all of it is gone before the program runs.
var setupCapabilities = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_SETPCAP}

// supervise starts the program in new namespaces, answers its system calls that need a look, and returns its exit code.
func supervise(parsed spec) int {
	control := os.NewFile(4, "control")
	unable := func(why string) int {
		fmt.Fprintf(control, "unable: %s\n", why)
		return 125
	}
	// The starter's threads come and go, but the one that starts processes is its first.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil || os.Getppid() != parsed.Parent {
		return unable("who started it has gone")
	}
	// Ctrl-C reaches every process of the terminal; how a call ends then is the starter's to say.
	signal.Ignore(unix.SIGINT)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unable(err.Error())
	}
	command := inside(os.NewFile(uintptr(pair[1]), "handshake"))
	if err := command.Start(); err != nil {
		return unable(sentence("new namespaces", err))
	}
	unix.Close(pair[1])
	// The ends that the program holds are the only ones then.
	for _, descriptor := range []int{1, 2, 3} {
		unix.Close(descriptor)
	}
	listener, resolver, err := receive(pair[0])
	if err != nil {
		command.Process.Kill()
		command.Wait()
		return unable(err.Error())
	}
	child, err := unix.PidfdOpen(command.Process.Pid, 0)
	if err != nil {
		command.Process.Kill()
		return unable(sentence("pidfd_open", err))
	}
	gate := newGate(parsed.Allowed)
	go follow(control, gate)
	go relay(resolver)
	go answer(listener, &program{pidfd: child, gate: gate}, func() { fmt.Fprintln(control, "started") })
	if _, err := unix.Write(pair[0], []byte{1}); err != nil {
		command.Process.Kill()
	}
	return outcome(command.Wait())
}

func inside(handshake *os.File) *exec.Cmd {
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Args[0] = insideName
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// Descriptors 3 and 4 of the child.
	command.ExtraFiles = []*os.File{os.NewFile(3, "channel"), handshake}
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: os.Getegid(), Size: 1}},
		AmbientCaps: setupCapabilities,
		Pdeathsig:   syscall.SIGKILL,
	}
	return command
}

// receive waits until everything but the program is ready; an error is what the other side could not do.
func receive(socket int) (listener, resolver int, err error) {
	text, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(8))
	count, controlCount, _, _, err := unix.Recvmsg(socket, text, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return 0, 0, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:controlCount])
	if err != nil || len(messages) == 0 {
		if count == 0 {
			return 0, 0, errors.New("the process inside ended by itself")
		}
		return 0, 0, errors.New(string(text[:count]))
	}
	descriptors, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 2 {
		return 0, 0, errors.New("the process inside sent something else")
	}
	return descriptors[0], descriptors[1], nil
}

// follow obeys the starter. When it has gone, the program goes with us.
func follow(control *os.File, gate *gate) {
	lines := bufio.NewScanner(control)
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "allow "); found {
			gate.allow(address)
			fmt.Fprintln(control, "allowed")
		}
	}
}

// outcome is the program's exit code; a signal that ended it ends us too.
func outcome(err error) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	status := exit.Sys().(syscall.WaitStatus)
	if !status.Signaled() {
		return status.ExitStatus()
	}
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	unix.Kill(os.Getpid(), status.Signal())
	return 128 + int(status.Signal())
}

func sentence(what string, err error) string {
	return fmt.Sprintf("%s: %v", what, err)
}
