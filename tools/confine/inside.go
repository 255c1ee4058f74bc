package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The other end of supervise's handshake.
const handshake = 4

// enter makes the boundary around this process and becomes the program.
func enter(parsed spec) {
	// Go wakes its threads by this signal, which would take calls back that the filter asks about.
	var urgent unix.Sigset_t
	urgent.Val[0] = 1 << (unix.SIGURG - 1)
	_ = unix.PthreadSigmask(unix.SIG_BLOCK, &urgent, nil)
	listener, resolver, err := confine(parsed)
	if err != nil {
		unix.Write(handshake, []byte(err.Error()))
		os.Exit(125)
	}
	// The file system is already the program's: an error from here on is a bug or a Node that is not there.
	rights := unix.UnixRights(listener, resolver)
	if err := unix.Sendmsg(handshake, []byte{1}, rights, nil, 0); err != nil {
		os.Exit(125)
	}
	unix.Close(listener)
	unix.Close(resolver)
	ready := make([]byte, 1)
	if count, err := unix.Read(handshake, ready); err != nil || count != 1 {
		os.Exit(125)
	}
	unix.Close(handshake)
	err = unix.Exec(parsed.Command[0], parsed.Command, os.Environ())
	fmt.Fprintf(os.Stderr, "%s: %v\n", parsed.Command[0], err)
	os.Exit(125)
}

// mostFiles is the number of files and connections that the program may hold. The session's daemon, which serves all
// projects, takes more than twice as many connections.
const mostFiles = 4096

func limitFiles() error {
	limit := unix.Rlimit{}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = min(limit.Max, mostFiles)
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// confine gives away, step by step, what this process could do. It returns the filter's listener and the socket on which
// the program asks for names.
func confine(parsed spec) (listener, resolver int, err error) {
	fail := func(what string, err error) (int, int, error) { return 0, 0, fmt.Errorf("%s: %w", what, err) }
	if resolver, err = network(); err != nil {
		return fail("its network", err)
	}
	if err = enterRoot(parsed); err != nil {
		return fail("its file system", err)
	}
	if err = unix.Sethostname([]byte("fastloop")); err != nil {
		return fail("its host name", err)
	}
	if err = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fail("limits", err)
	}
	if err = limitFiles(); err != nil {
		return fail("limits", err)
	}
	if err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fail("no new privileges", err)
	}
	if err = restrictFiles(); err != nil {
		return fail("Landlock", err)
	}
	if err = dropCapabilities(); err != nil {
		return fail("capabilities", err)
	}
	// After the capabilities: a change of them takes the signal away.
	if err = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fail("its end", err)
	}
	if listener, err = installFilter(); err != nil {
		return fail("seccomp", err)
	}
	return listener, resolver, nil
}

// network brings the loopback of the network namespace up, the only interface there, and takes the port for names on it.
func network() (int, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return 0, err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return 0, err
	}
	return socket, unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 53})
}

func dropCapabilities() error {
	for capability := uintptr(0); capability <= 63; capability++ {
		// The kernel knows fewer.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil && err != unix.EINVAL {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0); errno != 0 {
		return errno
	}
	return nil
}
