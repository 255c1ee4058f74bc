package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A system call that waits for our answer: struct seccomp_notif of linux/seccomp.h.
type question struct {
	id    uint64
	pid   uint32
	flags uint32
	// struct seccomp_data
	number             int32
	architecture       uint32
	instructionPointer uint64
	arguments          [6]uint64
}

// struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// struct seccomp_notif_addfd.
type addition struct {
	id                       uint64
	flags                    uint32
	source, target, newFlags uint32
}

// program is what runs behind the boundary.
type program struct {
	listener int
	pidfd    int
	gate     *gate
}

// answer reads the filter's questions until the program has ended. `started` is called when it is about to run.
func answer(listener int, running *program, started func()) {
	running.listener = listener
	executed := false
	for {
		var asked question
		if err := control(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)); err != nil {
			if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOENT) {
				continue
			}
			return
		}
		if asked.number == unix.SYS_CONNECT {
			go running.connect(asked)
			continue
		}
		// The first program is ours: what it is given lies in memory that nobody else has written to yet.
		if asked.number == unix.SYS_EXECVE && !executed {
			// A signal may have taken the call back; it then comes again.
			executed = running.respond(response{id: asked.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}) == nil
			if executed {
				started()
			}
			continue
		}
		running.fail(asked, unix.EPERM)
	}
}

// respond fails where nobody waits for the answer any more.
func (running *program) respond(given response) error {
	return control(running.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&given))
}

func (running *program) fail(asked question, errno unix.Errno) {
	_ = running.respond(response{id: asked.id, errno: -int32(errno)})
}

// install puts one of our descriptors in the place of one of the program's, and answers the call.
func (running *program) install(asked question, source, target int, errno unix.Errno) {
	added := addition{id: asked.id, flags: unix.SECCOMP_ADDFD_FLAG_SETFD, source: uint32(source), target: uint32(target), newFlags: unix.O_CLOEXEC}
	if err := control(running.listener, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&added)); err != nil {
		running.fail(asked, unix.ENETUNREACH)
		return
	}
	running.fail(asked, errno)
}

// memory copies what the calling thread has at an address; what it changes there afterwards is not seen any more.
func (running *program) memory(asked question, address uint64, size int) ([]byte, error) {
	content := make([]byte, size)
	local := []unix.Iovec{{Base: &content[0], Len: uint64(size)}}
	count, err := unix.ProcessVMReadv(int(asked.pid), local, []unix.RemoteIovec{{Base: uintptr(address), Len: size}}, 0)
	if err != nil {
		return nil, err
	}
	if count != size {
		return nil, unix.EFAULT
	}
	// Still the thread that asked, and not another process with its number.
	return content, control(running.listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&asked.id))
}

func control(descriptor int, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(descriptor), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
