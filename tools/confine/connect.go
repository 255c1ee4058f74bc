package main

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// As the kernel: what does not answer for this long never will.
const connectTimeoutMs = 130_000

// A sockaddr is not longer than this.
const longestAddress = 128

// connect answers a connect of the program's. The address is copied once; what is connected to it is a new socket of the
// machine's network, made here, which takes the place of the program's own. The program's own never leaves its empty
// network, whatever it is told.
func (running *program) connect(asked question) {
	descriptor, size := int(int32(asked.arguments[0])), asked.arguments[2]
	if size < 2 || size > longestAddress {
		running.fail(asked, unix.EINVAL)
		return
	}
	raw, err := running.memory(asked, asked.arguments[1], int(size))
	if err != nil {
		running.fail(asked, unix.EFAULT)
		return
	}
	theirs, err := unix.PidfdGetfd(running.pidfd, descriptor, 0)
	if err != nil {
		running.fail(asked, unix.EBADF)
		return
	}
	defer unix.Close(theirs)
	kind, err := unix.GetsockoptInt(theirs, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		running.fail(asked, unix.ENOTSOCK)
		return
	}
	target, ok := parseAddress(raw)
	if !ok {
		running.fail(asked, unix.EAFNOSUPPORT)
		return
	}
	domain, _ := unix.GetsockoptInt(theirs, unix.SOL_SOCKET, unix.SO_DOMAIN)
	switch {
	case domain != unix.AF_INET && domain != unix.AF_INET6:
		running.fail(asked, unix.EPERM)
	case kind == unix.SOCK_DGRAM:
		running.connectInside(asked, theirs, raw)
	case kind == unix.SOCK_STREAM:
		running.connectOutside(asked, descriptor, theirs, domain, target)
	default:
		running.fail(asked, unix.EPERM)
	}
}

// connectInside connects the program's own datagram socket, whose network has nothing but the port for names.
func (running *program) connectInside(asked question, theirs int, raw []byte) {
	address, err := sockaddr(raw)
	if err == nil {
		err = unix.Connect(theirs, address)
	}
	running.fail(asked, errnoOf(err))
}

func (running *program) connectOutside(asked question, descriptor, theirs, domain int, target netip.AddrPort) {
	// As a connect of a socket that is connected already.
	if _, err := unix.Getpeername(theirs); err == nil {
		running.fail(asked, unix.EISCONN)
		return
	}
	reached := netip.AddrPortFrom(target.Addr().Unmap(), target.Port())
	if reached == nameServer {
		server, ok := resolverAddress()
		if !ok {
			running.fail(asked, unix.ECONNREFUSED)
			return
		}
		target, domain = server, domainOf(server.Addr())
	} else if !running.gate.lets(reached) {
		running.fail(asked, refusalOf(reached.Addr()))
		return
	}
	flags, err := unix.FcntlInt(uintptr(theirs), unix.F_GETFL, 0)
	if err != nil {
		running.fail(asked, unix.EBADF)
		return
	}
	ours, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		running.fail(asked, errnoOf(err))
		return
	}
	defer unix.Close(ours)
	keepOptions(theirs, ours)
	err = unix.Connect(ours, socketAddress(domain, target))
	if flags&unix.O_NONBLOCK == 0 {
		if err == unix.EINPROGRESS {
			err = finish(ours)
		}
		if err == nil {
			err = unix.SetNonblock(ours, false)
		}
	}
	if err != nil && err != unix.EINPROGRESS {
		running.fail(asked, errnoOf(err))
		return
	}
	running.install(asked, ours, descriptor, errnoOf(err))
}

// finish waits for a connection that is being made.
func finish(socket int) error {
	events := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLOUT}}
	for {
		count, err := unix.Poll(events, connectTimeoutMs)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if count == 0 {
			return unix.ETIMEDOUT
		}
		result, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && result != 0 {
			return unix.Errno(result)
		}
		return err
	}
}

// keepOptions gives the new socket what programs set before they connect.
func keepOptions(from, to int) {
	for _, option := range [][2]int{{unix.IPPROTO_TCP, unix.TCP_NODELAY}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE}, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}} {
		if value, err := unix.GetsockoptInt(from, option[0], option[1]); err == nil {
			_ = unix.SetsockoptInt(to, option[0], option[1], value)
		}
	}
}

// refusalOf is what a container would be told: nothing listens on its loopback, and there is no way to the rest.
func refusalOf(address netip.Addr) unix.Errno {
	if address.IsLoopback() || address.IsUnspecified() {
		return unix.ECONNREFUSED
	}
	return unix.ENETUNREACH
}

func parseAddress(raw []byte) (netip.AddrPort, bool) {
	port := func() uint16 { return binary.BigEndian.Uint16(raw[2:4]) }
	switch family := binary.NativeEndian.Uint16(raw[0:2]); {
	case family == unix.AF_INET && len(raw) >= 16:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[4:8])), port()), true
	case family == unix.AF_INET6 && len(raw) >= 28:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw[8:24])), port()), true
	default:
		return netip.AddrPort{}, false
	}
}

func sockaddr(raw []byte) (unix.Sockaddr, error) {
	target, ok := parseAddress(raw)
	if !ok {
		return nil, unix.EAFNOSUPPORT
	}
	return socketAddress(domainOf(target.Addr()), target), nil
}

func socketAddress(domain int, target netip.AddrPort) unix.Sockaddr {
	if domain == unix.AF_INET {
		return &unix.SockaddrInet4{Addr: target.Addr().Unmap().As4(), Port: int(target.Port())}
	}
	return &unix.SockaddrInet6{Addr: target.Addr().As16(), Port: int(target.Port())}
}

func domainOf(address netip.Addr) int {
	if address.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func errnoOf(err error) unix.Errno {
	if errno, ok := err.(unix.Errno); ok {
		return errno
	}
	if err != nil {
		return unix.EIO
	}
	return 0
}
