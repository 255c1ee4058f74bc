// Tries system calls that a function body could make if it ran code of its own, and prints what came of each as JSON:
// the error's text, or "reached". Its argument is the JSON of type world.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

type world struct {
	// A file of the user's.
	Secret string
	// Listens on the machine's loopback.
	Port int
	// Listens there too, and may be connected to.
	Session int
}

type attempt struct {
	name string
	run  func(world) error
}

func raw(number uintptr, arguments ...uintptr) func(world) error {
	return func(world) error {
		var all [6]uintptr
		copy(all[:], arguments)
		if _, _, errno := unix.Syscall6(number, all[0], all[1], all[2], all[3], all[4], all[5]); errno != 0 {
			return errno
		}
		return nil
	}
}

func text(value string) uintptr {
	bytes, _ := unix.BytePtrFromString(value)
	return uintptr(unsafe.Pointer(bytes))
}

func socket(domain, kind, protocol int) func(world) error {
	return func(world) error {
		_, err := unix.Socket(domain, kind, protocol)
		return err
	}
}

// sent connects nothing and sends a first packet to the user's loopback.
func sent(flags int, message bool) func(world) error {
	return func(given world) error {
		descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		to := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: given.Port}
		if message {
			return unix.Sendmsg(descriptor, []byte("x"), nil, to, flags)
		}
		return unix.Sendto(descriptor, []byte("x"), flags, to)
	}
}

func connected(domain int, address unix.Sockaddr) error {
	descriptor, err := unix.Socket(domain, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Connect(descriptor, address)
}

// raced connects again and again while another thread turns the address between the session's and a closed one. That one
// of them was connected is nothing; who listens at the closed one tells.
func raced(given world) error {
	ports := [2]uint16{swapped(given.Session), swapped(given.Port)}
	address := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		for turn := 0; ; turn++ {
			select {
			case <-done:
				return
			default:
				address.Port = ports[turn%2]
			}
		}
	}()
	defer close(done)
	for try := 0; try < 1000; try++ {
		descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		unix.Syscall(unix.SYS_CONNECT, uintptr(descriptor), uintptr(unsafe.Pointer(&address)), unsafe.Sizeof(address))
		unix.Close(descriptor)
	}
	return unix.ECONNREFUSED
}

func swapped(port int) uint16 { return uint16(port>>8) | uint16(port&0xff)<<8 }

// turned takes the session's socket, which is of the machine's network, and tries to use it for another place.
func turned(use func(descriptor int, given world) error) func(world) error {
	return func(given world) error {
		descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(descriptor, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: given.Session}); err != nil {
			panic("the session can't be reached: " + err.Error())
		}
		unspecified := unix.RawSockaddrInet4{Family: unix.AF_UNSPEC}
		unix.Syscall(unix.SYS_CONNECT, uintptr(descriptor), uintptr(unsafe.Pointer(&unspecified)), unsafe.Sizeof(unspecified))
		unix.Shutdown(descriptor, unix.SHUT_RDWR)
		return use(descriptor, given)
	}
}

var attempts = []attempt{
	{"ptrace of itself", raw(unix.SYS_PTRACE, unix.PTRACE_TRACEME)},
	{"ptrace of another", raw(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1)},
	{"process_vm_readv", raw(unix.SYS_PROCESS_VM_READV, 1)},
	{"process_vm_writev", raw(unix.SYS_PROCESS_VM_WRITEV, 1)},
	{"pidfd_open", raw(unix.SYS_PIDFD_OPEN, 1)},
	{"pidfd_getfd", raw(unix.SYS_PIDFD_GETFD, 0, 1)},
	{"kcmp", raw(unix.SYS_KCMP, 1, 1)},
	{"fork", raw(unix.SYS_CLONE, uintptr(unix.SIGCHLD))},
	{"a new user namespace by clone", raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD))},
	{"clone3", raw(unix.SYS_CLONE3, 0, 64)},
	{"unshare of users", raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)},
	{"unshare of mounts", raw(unix.SYS_UNSHARE, unix.CLONE_NEWNS)},
	{"unshare of files", raw(unix.SYS_UNSHARE, unix.CLONE_FILES)},
	{"setns", raw(unix.SYS_SETNS, 0)},
	{"execve", raw(unix.SYS_EXECVE, text("/proc/self/exe"), 0, 0)},
	{"execveat", raw(unix.SYS_EXECVEAT, 0, text(""), 0, 0, unix.AT_EMPTY_PATH)},
	{"memfd_create", raw(unix.SYS_MEMFD_CREATE, text("x"))},
	{"memfd_secret", raw(unix.SYS_MEMFD_SECRET)},
	{"mount", raw(unix.SYS_MOUNT, text("none"), text("/tmp"), text("tmpfs"))},
	{"umount", raw(unix.SYS_UMOUNT2, text("/proc"), unix.MNT_DETACH)},
	{"a remount of the root", raw(unix.SYS_MOUNT, 0, text("/"), 0, unix.MS_REMOUNT|unix.MS_BIND)},
	{"pivot_root", raw(unix.SYS_PIVOT_ROOT, text("/tmp"), text("/tmp"))},
	{"chroot", raw(unix.SYS_CHROOT, text("/tmp"))},
	{"open_tree", raw(unix.SYS_OPEN_TREE, 0, text("/"))},
	{"fsopen", raw(unix.SYS_FSOPEN, text("tmpfs"))},
	{"mount_setattr", raw(unix.SYS_MOUNT_SETATTR, 0, text("/"))},
	{"bpf", raw(unix.SYS_BPF)},
	{"perf_event_open", raw(unix.SYS_PERF_EVENT_OPEN)},
	{"userfaultfd", raw(unix.SYS_USERFAULTFD, 1)},
	{"io_uring_setup", raw(unix.SYS_IO_URING_SETUP, 8, text("                                                                                                                                "))},
	{"seccomp", raw(unix.SYS_SECCOMP)},
	{"init_module", raw(unix.SYS_INIT_MODULE)},
	{"kexec_load", raw(unix.SYS_KEXEC_LOAD)},
	{"keyctl", raw(unix.SYS_KEYCTL)},
	{"add_key", raw(unix.SYS_ADD_KEY, text("user"), text("a"), text("b"), 1)},
	{"request_key", raw(unix.SYS_REQUEST_KEY, text("user"), text("a"))},
	{"shmget", raw(unix.SYS_SHMGET, 0x1234, 4096, 0o1666)},
	{"semget", raw(unix.SYS_SEMGET, 0x1234, 1, 0o1666)},
	{"msgget", raw(unix.SYS_MSGGET, 0x1234, 0o1666)},
	{"mq_open", raw(unix.SYS_MQ_OPEN, text("q"), unix.O_CREAT|unix.O_RDWR, 0o600)},
	{"reboot", raw(unix.SYS_REBOOT)},
	{"syslog", raw(unix.SYS_SYSLOG, 3)},
	{"sethostname", raw(unix.SYS_SETHOSTNAME, text("x"), 1)},
	{"clock_settime", raw(unix.SYS_CLOCK_SETTIME)},
	{"personality", raw(unix.SYS_PERSONALITY, 0x0040000)},
	{"open_by_handle_at", raw(unix.SYS_OPEN_BY_HANDLE_AT)},
	{"name_to_handle_at", raw(unix.SYS_NAME_TO_HANDLE_AT, 0, text("/"))},
	{"fanotify_init", raw(unix.SYS_FANOTIFY_INIT)},
	{"a device file", raw(unix.SYS_MKNODAT, 0, text("/tmp/device"), unix.S_IFBLK|0o600, 1)},
	{"setuid to root", raw(unix.SYS_SETRESUID, 0, 0, 0)},
	{"outliving its parent", raw(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, 0)},
	{"a capability", func(world) error {
		return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_SYS_ADMIN, 0, 0)
	}},
	{"keys into a terminal", raw(unix.SYS_IOCTL, 0, unix.TIOCSTI, text("x"))},
	{"a call that is not known yet", raw(1000)},
	{"a unix socket", socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)},
	{"a netlink socket", socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)},
	{"a packet socket", socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
	{"a vsock", socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
	{"an alg socket", socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)},
	{"a raw socket", socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
	{"a ping socket", socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)},
	{"a socket of SCTP", socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)},
	{"a socket of MPTCP", socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)},
	{"TCP fast open", sent(unix.MSG_FASTOPEN, false)},
	{"TCP fast open by sendmsg", sent(unix.MSG_FASTOPEN, true)},
	{"sendto without a connection", sent(0, false)},
	{"sendmsg without a connection", sent(0, true)},
	{"bind", func(world) error { return bound(unix.SOCK_STREAM) }},
	{"bind of datagrams", func(world) error { return bound(unix.SOCK_DGRAM) }},
	{"listen", func(world) error {
		descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return unix.Listen(descriptor, 1)
	}},
	{"connect to the user's loopback", func(given world) error {
		return connected(unix.AF_INET, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: given.Port})
	}},
	{"the same by an address of IPv6", func(given world) error {
		to := &unix.SockaddrInet6{Port: given.Port}
		copy(to.Addr[10:], []byte{0xff, 0xff, 127, 0, 0, 1})
		return connected(unix.AF_INET6, to)
	}},
	{"the same by no address", func(given world) error {
		return connected(unix.AF_INET, &unix.SockaddrInet4{Port: given.Port})
	}},
	{"the same by an unspecified family", func(given world) error {
		descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		raw := unix.RawSockaddrInet4{Family: unix.AF_UNSPEC, Port: swapped(given.Port), Addr: [4]byte{127, 0, 0, 1}}
		if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(descriptor), uintptr(unsafe.Pointer(&raw)), unsafe.Sizeof(raw)); errno != 0 {
			return errno
		}
		return nil
	}},
	{"an address that changes after the look", raced},
	{"another place for the session's socket", turned(func(descriptor int, given world) error {
		return unix.Connect(descriptor, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: given.Port})
	})},
	{"another place for it by a first packet", turned(func(descriptor int, given world) error {
		return unix.Sendto(descriptor, []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: given.Port})
	})},
	{"listening on it", turned(func(descriptor int, _ world) error { return unix.Listen(descriptor, 1) })},
	{"binding it", turned(func(descriptor int, _ world) error { return unix.Bind(descriptor, &unix.SockaddrInet4{}) })},
	{"an address that is longer than any", func(given world) error {
		return raw(unix.SYS_CONNECT, 0, text("x"), 1<<20)(given)
	}},
	{"the user's file", func(given world) error {
		_, err := unix.Open(given.Secret, unix.O_RDONLY, 0)
		return err
	}},
	{"the same by way of a descriptor", func(given world) error {
		root, err := unix.Open("/", unix.O_PATH, 0)
		if err != nil {
			return err
		}
		_, err = unix.Openat(root, "../../.."+given.Secret, unix.O_RDONLY, 0)
		return err
	}},
	{"another's memory", func(world) error {
		_, err := unix.Open("/proc/2/mem", unix.O_RDWR, 0)
		return err
	}},
	{"the kernel's settings", func(world) error {
		_, err := unix.Open("/proc/sys/kernel/core_pattern", unix.O_RDONLY, 0)
		return err
	}},
	{"a file beside the root", func(world) error { return os.WriteFile("/made", nil, 0o600) }},
	{"a file in a library's folder", func(world) error { return os.WriteFile("/usr/lib/made", nil, 0o600) }},
	{"a link out of the temporary folder", func(given world) error {
		if err := os.Symlink(given.Secret, "/tmp/out"); err != nil {
			return err
		}
		_, err := os.ReadFile("/tmp/out")
		return err
	}},
	{"writable memory of a shown file", func(world) error {
		descriptor, err := unix.Open("/etc/passwd", unix.O_RDWR, 0)
		if err != nil {
			return err
		}
		_, err = unix.Mmap(descriptor, 0, 4096, unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	}},
	{"a signal to every process", func(world) error {
		// Those are none: what is there is this process, which the kernel leaves out.
		return unix.Kill(-1, unix.SIGTERM)
	}},
}

func bound(kind int) error {
	descriptor, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		return err
	}
	return unix.Bind(descriptor, &unix.SockaddrInet4{})
}

func main() {
	var given world
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		panic(err)
	}
	told := map[string]string{}
	for _, one := range attempts {
		told[one.name] = "reached"
		if err := one.run(given); err != nil {
			told[one.name] = err.Error()
		}
	}
	answer, _ := json.Marshal(told)
	fmt.Println(string(answer))
}
