package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Refused to the program whatever its arguments. The network namespace, the mounts and the absent capabilities refuse
// most of it too; here it does not reach the kernel's code.
var refused = []uintptr{
	// Other processes.
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD,
	unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_KCMP, unix.SYS_PROCESS_MADVISE, unix.SYS_PROCESS_MRELEASE,
	// Namespaces and mounts.
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE,
	unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	// Code in the kernel, and other ways to call it.
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER,
	unix.SYS_IO_URING_REGISTER, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD,
	unix.SYS_KEXEC_FILE_LOAD, unix.SYS_SECCOMP, unix.SYS_IO_SETUP,
	// Keys, and memory or messages that outlive a process.
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_SEMGET,
	unix.SYS_SEMOP, unix.SYS_SEMCTL, unix.SYS_MSGGET, unix.SYS_MSGSND, unix.SYS_MSGRCV, unix.SYS_MSGCTL, unix.SYS_MQ_OPEN,
	unix.SYS_MQ_UNLINK, unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET,
	// The machine.
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SYSLOG,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_SETHOSTNAME,
	unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP, unix.SYS_PERSONALITY, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	// Files past their names.
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_MKNODAT,
	// Being reached: a body asks, it is not asked.
	unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
}

// Answered by confine itself.
var asked = []uintptr{unix.SYS_CONNECT, unix.SYS_EXECVE, unix.SYS_EXECVEAT}

// Calls that came later than those are unknown to the list above; libraries do without.
const newestKnown = unix.SYS_SET_MEMPOLICY_HOME_NODE

const (
	refuse    = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown   = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	newSpaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	// Sockets that encrypt by themselves are kernel code that nobody needs here.
	tcpUpperLayer = 31
)

// filterCode is the program that the kernel runs before each system call.
func filterCode() []unix.SockFilter {
	code := []unix.SockFilter{
		load(4), unless(auditArch, 0), give(unix.SECCOMP_RET_KILL_PROCESS),
		load(0), {Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: newestKnown, Jf: 1}, give(unknown),
	}
	code[1].Jt = 1
	for _, number := range append(append([]uintptr{}, refused...), refusedHere...) {
		code = append(code, when(number, give(refuse))...)
	}
	for _, number := range asked {
		code = append(code, when(number, give(unix.SECCOMP_RET_USER_NOTIF))...)
	}
	// Its flags are in memory, where they can change after a look; the C library then uses clone.
	code = append(code, when(unix.SYS_CLONE3, give(unknown))...)
	// Threads, no processes.
	code = append(code, when(unix.SYS_CLONE, argument(0), unlessSet(unix.CLONE_THREAD), give(refuse), ifSet(newSpaces), give(refuse), allow)...)
	code = append(code, when(unix.SYS_SOCKET,
		argument(0), oneOf(unix.AF_INET, 2), oneOf(unix.AF_INET6, 1), give(refuse),
		argument(1), unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf}, oneOf(unix.SOCK_STREAM, 2), oneOf(unix.SOCK_DGRAM, 1), give(refuse),
		argument(2), oneOf(0, 3), oneOf(unix.IPPROTO_TCP, 2), oneOf(unix.IPPROTO_UDP, 1), give(refuse), allow)...)
	// A first packet that carries its address connects without connect.
	for number, flags := range map[uintptr]uint32{unix.SYS_SENDTO: 3, unix.SYS_SENDMSG: 2, unix.SYS_SENDMMSG: 3} {
		code = append(code, when(number, argument(flags), ifSet(unix.MSG_FASTOPEN), give(refuse), allow)...)
	}
	code = append(code, when(unix.SYS_SETSOCKOPT, argument(1), unless(unix.IPPROTO_TCP, 3), argument(2), unless(tcpUpperLayer, 1), give(refuse), allow)...)
	// It may not outlive us, nor type into a terminal.
	code = append(code, when(unix.SYS_PRCTL, argument(0), unless(unix.PR_SET_PDEATHSIG, 1), give(refuse), allow)...)
	code = append(code, when(unix.SYS_IOCTL, argument(1), unless(unix.TIOCSTI, 1), give(refuse), unless(unix.TIOCLINUX, 1), give(refuse), allow)...)
	return append(code, allow)
}

var allow = give(unix.SECCOMP_RET_ALLOW)

// when runs instructions, of which the last gives an answer, for one system call.
func when(number uintptr, then ...unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{unless(uint32(number), uint8(len(then)))}, then...)
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

// argument loads the lower half of one, which is all that the kernel reads of numbers such as these.
func argument(index uint32) unix.SockFilter { return load(16 + 8*index) }

func give(answer uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: answer}
}

// unless skips instructions when something else is loaded, oneOf when exactly this is.
func unless(value uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
}

func oneOf(value uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: skip}
}

// ifSet runs the next instruction only when one of the bits is set, unlessSet only when none is.
func ifSet(bits uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: bits, Jf: 1}
}

func unlessSet(bits uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: bits, Jt: 1}
}

// installFilter puts the filter on this thread and returns what its questions are read from.
func installFilter() (listener int, err error) {
	code := filterCode()
	filter := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	// A call that confine has begun to answer is not taken back by a signal; kernels before 5.19 can't promise that.
	for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER} {
		descriptor, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&filter)))
		if errno == 0 {
			return int(descriptor), nil
		}
		err = errno
	}
	return 0, err
}
